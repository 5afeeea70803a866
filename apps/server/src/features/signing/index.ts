export { endorseSigningKey } from './endorse-signing-key.ts'
export { makeFirstSigningKey, makeSigningKey, sealedRow as sealedSigningKeyRow } from './make-signing-key.ts'
export { retireSigningKey } from './retire-signing-key.ts'
export { type Rotated, rotateSigningKey } from './rotate-signing-key.ts'
export { signingKeyRoutes } from './routes.ts'
export { keysThatSign, type Signature, type SignWithKeys, signWithKeys } from './sign-bytes.ts'
export {
  countSigningKeys,
  findCurrentKeyId,
  findSigningKey,
  listSigningKeys,
  type SealedKey,
} from './signing-keys-table.ts'
