export {
  type KeyNeed,
  type KeyUse,
  macKeyUses,
  sealKeyUses,
  secretKeyUses,
  type UnlistedRow,
  unlistedRows,
} from './key-uses.ts'
export { type LeftRow, type Progress, type Resealing, resealSecrets } from './reseal-secrets.ts'
export { marksOfKeys, otherRunningKeys } from './running-keys.ts'
export { warnOfUnlisted } from './warn-of-unlisted.ts'
