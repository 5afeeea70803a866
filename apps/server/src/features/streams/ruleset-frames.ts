import { signatureFor } from '../rollouts/index.ts'
import { dataBytesMax, eventFrame, type Frame } from './frame.ts'
import type { RenderingName, Rollout } from './rollout.ts'

/** What one reader is served: his rendering, signed by the key his agents pinned. */
export type Reading = {
  readonly rendering: RenderingName
  readonly signingKeyId: string | null
  /** The pointer form makes clients fetch the ruleset by name and follow that name (agent-api §3.4). */
  readonly isPointer: boolean
}

export type RulesetFrames = (rollout: Rollout, reading: Reading) => Frame

/** Serializes each rollout once per rendering, signing key and form; what is no longer rolled out is forgotten. */
export function makeRulesetFrames(): RulesetFrames {
  const made = new WeakMap<Rollout, Map<string, Frame>>()
  return (rollout, reading) => {
    const key = `${reading.rendering} ${reading.signingKeyId ?? ''} ${reading.isPointer}`
    const frames = made.get(rollout) ?? new Map<string, Frame>()
    made.set(rollout, frames)
    const known = frames.get(key)
    if (known) return known
    const frame = eventFrame('contract_update', updateData(rollout, reading))
    frames.set(key, frame)
    return frame
  }
}

/**
 * The content goes along while the line stays readable, since the oldest clients fetch nothing; the text, which only
 * they read beside `yaml_bytes`, is the first to go.
 */
function updateData(rollout: Rollout, { rendering, signingKeyId, isPointer }: Reading): string {
  const { hash, text, base64 } = rollout.renderings[rendering]
  const signed = signatureFor(rollout, rendering, signingKeyId)
  const facts = {
    type: 'contract_update',
    bundle_name: rollout.ruleset,
    name: rollout.ruleset,
    version: rollout.version,
    revision_hash: hash,
    signature: signed?.signature ?? null,
    signature_hex: signed ? Buffer.from(signed.signature, 'base64').toString('hex') : null,
    public_key: signed?.publicKey ?? null,
    // Ours only: which of two is the newer, and whose word there is for a key that is not known yet.
    tenant_id: rollout.tenant,
    deployed_at: rollout.rolledOutAt.toISOString(),
    key_endorsements: rollout.endorsements.map((one) => ({
      public_key: one.publicKey,
      by: one.by,
      signature: one.signature,
    })),
  }
  const pointer = { ...facts, _assignment_changed: true }
  const form = isPointer ? pointer : facts
  const candidates = [{ ...form, yaml_bytes: base64, yaml: text }, { ...form, yaml_bytes: base64 }, pointer]
  for (const candidate of candidates) {
    const data = JSON.stringify(candidate)
    if (Buffer.byteLength(data) < dataBytesMax) return data
  }
  return JSON.stringify(pointer)
}

export function assignmentFrame(agentId: string, ruleset: string, source: string): Frame {
  const data = { type: 'assignment_changed', agent_id: agentId, bundle_name: ruleset, source }
  return eventFrame('assignment_changed', JSON.stringify(data))
}

/** The only event TypeScript from 0.3 on knows; it fetches the ruleset if the name is its own. */
export function updatedFrame(rollout: Rollout, rendering: RenderingName, environment: string): Frame {
  const data = {
    type: 'ruleset_updated',
    name: rollout.ruleset,
    version: rollout.version,
    revision_hash: rollout.renderings[rendering].hash,
    env: environment,
  }
  return eventFrame('ruleset_updated', JSON.stringify(data))
}
