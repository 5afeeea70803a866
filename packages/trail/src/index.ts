export {
  canonicalBytes,
  canonicalJson,
  type Json,
  type JsonObject,
  jsonDepthMax,
  NotCanonical,
} from './canonical-json.ts'
export {
  type Actor,
  type ActorKind,
  actorKinds,
  entryBytes,
  entryBytesMax,
  NotAnEntry,
  readEntry,
  type SealedFacts,
  type Subject,
  type TrailEntry,
} from './entry.ts'
export { type ExportLine, exportLine, hexOf, NotAnExport, readExportLine } from './export-line.ts'
export {
  consistencyProof,
  continues,
  includes,
  inclusionProof,
  type NodePlace,
  type NodeSource,
  nodesFor,
} from './proof.ts'
export { makePersonKey, openFacts, personKeyBytes, personKeyName, sealFacts } from './seal.ts'
export {
  emptyFrontier,
  emptyRoot,
  extendFrontier,
  type Frontier,
  frontierRoot,
  hashBytes,
  leafHash,
  nodeHash,
  treeRoot,
} from './tree.ts'
export {
  type CheckedEntry,
  checkEntry,
  type Fault,
  type FaultKind,
  type RecordedEntry,
  type RecordedHead,
  startVerification,
  type Verification,
  type Verifier,
  type VerifyOptions,
  verifyEntries,
} from './verify.ts'
