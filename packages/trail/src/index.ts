export {
  type Anchor,
  anchorBytes,
  anchorBytesMax,
  anchorKeys,
  isAnchorKey,
  isChainId,
  isSignedBy,
  NotAnAnchor,
  readAnchor,
  type SignedAnchor,
  statementText,
} from './anchor.ts'
export {
  canonicalBytes,
  canonicalJson,
  type Json,
  type JsonObject,
  jsonDepthMax,
  NotCanonical,
} from './canonical-json.ts'
export {
  base64,
  type Checkpoint,
  checkpointText,
  NotANote,
  type NoteSignature,
  noteText,
  readCheckpoint,
  readNote,
  type SignedNote,
} from './checkpoint.ts'
export {
  type Countersignature,
  type CountersignatureFile,
  type CountersignedContent,
  countersignedChallenge,
  countersignedText,
  recordedCountersignature,
  type Trust,
  type VerifiedDecision,
  verifyCountersignatures,
} from './countersignature.ts'
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
export { type EntryMac, type MacFinding, macChecker, macKeyId, macOf } from './mac.ts'
export { type NoteSigner, openNote, signNote, verifierOf } from './note-key.ts'
export { NotSigned } from './passkey-signature.ts'
export { type PlainLine, readPlainLine } from './plain-entry.ts'
export {
  consistencyProof,
  continues,
  includes,
  inclusionProof,
  type NodePlace,
  type NodeSource,
  nodesFor,
  peaksOf,
  rootOf,
} from './proof.ts'
export {
  type ContinuationProof,
  continuationText,
  type EntryProof,
  entryProofText,
  NotAProof,
  readContinuation,
  readEntryProof,
} from './proof-file.ts'
export { factSealer, makePersonKey, openFacts, personKeyBytes, personKeyName, sealFacts } from './seal.ts'
export { writeUuid } from './seen-ids.ts'
export { isStubSignedBy, signStub } from './sign-stub.ts'
export {
  archiveKey,
  isArchiveKey,
  NotAStub,
  readStub,
  type SignedStub,
  type Stub,
} from './stub.ts'
export {
  bundleBytes,
  hiddenLeaf,
  hiddenRecord,
  nodeOf,
  readBundle,
  readTile,
  readTilePath,
  type TilePlace,
  tileBytes,
  tileOf,
  tilePath,
  tileWidth,
} from './tiles.ts'
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
export { type NoteVerifier, readVerifier, verifierText } from './verifier-key.ts'
export {
  type CheckedEntry,
  checkEntry,
  checkLeaf,
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
export {
  type AnchorFault,
  type AnchorFile,
  type AnchorVerification,
  verifyAnchors,
} from './verify-anchors.ts'
export { type ProvenEntry, verifyContinuation, verifyEntryProof } from './verify-proof.ts'
