import { sha256 } from '#sha256'
import { canonicalJson, type JsonObject } from './canonical-json.ts'
import { base64, type Checkpoint } from './checkpoint.ts'
import { type Assertion, bytesIn, checkPasskeySignature, NotSigned } from './passkey-signature.ts'
import type { NoteVerifier } from './verifier-key.ts'
import { type ProvenEntry, verifyEntryProof } from './verify-proof.ts'

/**
 * What a countersignature signs: everything that was asked, as the text whose digest the approval has (a text, so that
 * its numbers keep their digits), and what its decider said.
 */
export type CountersignedContent = {
  readonly v: 1
  readonly approval: string
  readonly decision: 'approve' | 'deny'
  readonly reason: string | null
  /** The person's id: names and addresses must stay erasable. */
  readonly decider: string
  readonly relying_party: string
  readonly nonce: string
}

export type Countersignature = {
  /** RFC 8785; the passkey signed the SHA-256 of exactly these bytes. */
  readonly content: string
  readonly assertion: Assertion & { readonly credential_id: string }
  readonly registration: { readonly credential_id: string; readonly public_key: string }
}

/** One approval's countersignatures for somebody who trusts no server; with proofs, for who trusts a checkpoint. */
export type CountersignatureFile = {
  readonly countersigned_approval: 1
  readonly countersignatures: readonly Countersignature[]
  /** One for each countersignature, in their order: its entry in the trail and that of the passkey's registration. */
  readonly proofs?: readonly { readonly decision: string; readonly registration: string }[]
}

/** What the verifier believes without asking; at least one of them. */
export type Trust = {
  /** Public keys of passkeys, as `registration.public_key` has them. */
  readonly keys?: readonly string[]
  /** Public key of the log, whose signed checkpoints are then trusted. */
  readonly log?: NoteVerifier
  /** One head of the log, from wherever it was kept. */
  readonly head?: Pick<Checkpoint, 'origin' | 'size' | 'root'>
}

export type VerifiedDecision = CountersignedContent & {
  readonly approvalDigest: string
  readonly asked: Readonly<Record<string, unknown>>
  readonly publicKey: string
  /** Numbers of the entries, when the trail proves them. */
  readonly entries?: { readonly decision: number; readonly registration: number }
}

const lengthMax = 4_000_000
const recordedBytesMax = 12_000

export function countersignedText(content: CountersignedContent): string {
  return canonicalJson(content)
}

/** As the trail's entry has it: a content too long for an entry is there by its digest. */
export function recordedCountersignature(one: Countersignature): JsonObject {
  const bytes = Buffer.from(one.content)
  const { content: _, ...rest } = one
  return bytes.length <= recordedBytesMax
    ? { ...one }
    : { ...rest, content_sha256: Buffer.from(sha256(bytes)).toString('hex') }
}

/** The WebAuthn challenge, in base64url as options and client data have it. */
export function countersignedChallenge(text: string): string {
  return Buffer.from(sha256(Buffer.from(text))).toString('base64url')
}

/** The decisions a file proves to somebody with this trust. Throws `NotSigned` or `NotAProof`, saying what does not hold. */
export function verifyCountersignatures(text: string, trust: Trust): readonly VerifiedDecision[] {
  const hasLogTrust = trust.log !== undefined || trust.head !== undefined
  if ((trust.keys ?? []).length === 0 && !hasLogTrust)
    throw new NotSigned(
      'Nothing is trusted: give the public key of the passkey, or the key of the log or a checkpoint.',
    )
  const { countersignatures, proofs } = readFile(text)
  if (hasLogTrust && proofs === undefined)
    throw new NotSigned(
      'The file has no proofs of the trail. Export it with proofs, or give the public key of the passkey.',
    )
  if (!hasLogTrust && proofs !== undefined)
    throw new NotSigned(
      'The file has proofs of the trail, which need the key of the log or a checkpoint. Export it without them, or give one.',
    )
  const decisions = countersignatures.map((one, at) => {
    const decision = verifyOne(one)
    if (trust.keys && trust.keys.length > 0 && !trust.keys.includes(decision.publicKey))
      throw new NotSigned(`Countersignature ${at + 1} is made with a key that is not trusted.`)
    const proof = proofs?.[at]
    return proof ? { ...decision, entries: checkProofs(one, decision, proof, trust) } : decision
  })
  const digests = new Set(decisions.map(({ approvalDigest }) => approvalDigest))
  if (digests.size !== 1) throw new NotSigned('The countersignatures are of different approvals.')
  const deciders = new Set(decisions.map(({ decider }) => decider))
  if (deciders.size !== decisions.length) throw new NotSigned('One decider is counted twice.')
  return decisions
}

function verifyOne({ content: text, assertion, registration }: Countersignature): VerifiedDecision {
  const content = contentIn(text)
  if (assertion.credential_id !== registration.credential_id)
    throw new NotSigned('The assertion and the registration are of different passkeys.')
  bytesIn(registration.credential_id, 'credential_id')
  checkPasskeySignature(assertion, {
    challenge: countersignedChallenge(text),
    relyingParty: content.relying_party,
    publicKey: registration.public_key,
  })
  return {
    ...content,
    approvalDigest: Buffer.from(sha256(Buffer.from(content.approval))).toString('hex'),
    asked: objectOf(parsed(content.approval), 'What was asked'),
    publicKey: registration.public_key,
  }
}

function checkProofs(
  one: Countersignature,
  decision: VerifiedDecision,
  proofs: { readonly decision: string; readonly registration: string },
  { log, head }: Trust,
): { readonly decision: number; readonly registration: number } {
  const decided = verifyEntryProof(proofs.decision, log)
  const registered = verifyEntryProof(proofs.registration, log)
  for (const { checkpoint } of [decided, registered]) if (head) checkHead(checkpoint, head)
  checkDecided(one, decision, decided)
  checkRegistered(one, decision, registered)
  if (registered.number >= decided.number) throw new NotSigned('The passkey was registered after it signed.')
  return { decision: decided.number, registration: registered.number }
}

function checkHead(found: Checkpoint, trusted: NonNullable<Trust['head']>): void {
  const isSame =
    found.origin === trusted.origin && found.size === trusted.size && base64(found.root) === base64(trusted.root)
  if (!isSame) {
    throw new NotSigned(
      `The proofs are under the checkpoint of ${found.size} entries of ${found.origin}, not under the trusted one of ${trusted.size} entries of ${trusted.origin}.`,
    )
  }
}

function checkDecided(one: Countersignature, { decider, asked }: VerifiedDecision, { entry }: ProvenEntry): void {
  const { countersignature } = entry.details
  const isIt =
    entry.act.startsWith('approval.') &&
    entry.subject.kind === 'approval' &&
    entry.subject.id === asked['id'] &&
    entry.tenant === asked['tenant'] &&
    entry.actor.id === decider &&
    canonicalJson(countersignature ?? null) === canonicalJson(recordedCountersignature(one))
  if (!isIt) throw new NotSigned('The trail’s entry of the decision tells of another one.')
}

function checkRegistered(one: Countersignature, decision: VerifiedDecision, { entry }: ProvenEntry): void {
  const { person, registration = null } = entry.details
  const record = objectOf(registration, 'The registration in the trail')
  const isIt =
    entry.act === 'factor.added' &&
    entry.tenant === decision.asked['tenant'] &&
    entry.actor.id === decision.decider &&
    person === decision.decider &&
    record['credential_id'] === one.registration.credential_id &&
    record['public_key'] === one.registration.public_key &&
    record['rp_id'] === decision.relying_party
  if (!isIt) throw new NotSigned('The trail’s entry of the registration is of another passkey or person.')
}

function readFile(text: string): CountersignatureFile {
  if (text.length > lengthMax) throw new NotSigned(`A file has at most ${lengthMax} characters.`)
  const {
    countersigned_approval: version,
    countersignatures,
    proofs,
  } = strict(parsed(text), ['countersigned_approval', 'countersignatures'], ['proofs'])
  if (version !== 1) throw new NotSigned('"countersigned_approval" is not 1.')
  const list = listOf(countersignatures, 'countersignatures').map((one) => {
    const { content, assertion, registration } = strict(one, ['content', 'assertion', 'registration'])
    return {
      content: textOf(content),
      assertion: texts(assertion, ['credential_id', 'client_data_json', 'authenticator_data', 'signature']),
      registration: texts(registration, ['credential_id', 'public_key']),
    }
  })
  if (list.length === 0) throw new NotSigned('The file has no countersignature.')
  if (proofs === undefined) return { countersigned_approval: 1, countersignatures: list }
  const proven = listOf(proofs, 'proofs').map((one) => texts(one, ['decision', 'registration']))
  if (proven.length !== list.length) throw new NotSigned('There are not as many proofs as countersignatures.')
  return { countersigned_approval: 1, countersignatures: list, proofs: proven }
}

function contentIn(text: string): CountersignedContent {
  const value = strict(parsed(text), ['v', 'approval', 'decision', 'reason', 'decider', 'relying_party', 'nonce'])
  const { v, decision, reason } = value
  if (v !== 1) throw new NotSigned('The content is of another version.')
  if (decision !== 'approve' && decision !== 'deny') throw new NotSigned('The content decides neither yes nor no.')
  const content: CountersignedContent = {
    v: 1,
    approval: textOf(value['approval']),
    decision: decision,
    reason: reason === null ? null : textOf(reason),
    decider: textOf(value['decider']),
    relying_party: textOf(value['relying_party']),
    nonce: textOf(value['nonce']),
  }
  if (canonicalJson(content) !== text) throw new NotSigned('The content is not canonical (RFC 8785).')
  return content
}

/** An object with these members and no other: what nobody checks must not be there. */
function strict(
  value: unknown,
  names: readonly string[],
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  const object = objectOf(value, 'A part of the file')
  for (const name of names) if (!Object.hasOwn(object, name)) throw new NotSigned(`"${name}" is missing.`)
  for (const name of Object.keys(object))
    if (![...names, ...optional].includes(name)) throw new NotSigned(`"${name}" does not belong here.`)
  return object
}

function texts<const Name extends string>(value: unknown, names: readonly Name[]): Readonly<Record<Name, string>> {
  const object = strict(value, names)
  return Object.fromEntries(names.map((name) => [name, textOf(object[name])])) as Record<Name, string>
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new NotSigned('A part of the file is not a text.')
  return value
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > 10) throw new NotSigned(`"${name}" is not a list of at most ten.`)
  return value
}

function objectOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NotSigned(`${what} is no object.`)
  return { ...value }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new NotSigned('The file is not JSON.', { cause })
  }
}
