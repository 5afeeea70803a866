import { type CurrentRollout, signatureFor } from '../../features/rollouts/index.ts'
import type { RulesetDialect } from '../../features/rulesets/index.ts'

/** Serialized once for all who ask for the same thing; gone when the rollout is no longer kept. */
const made = new WeakMap<CurrentRollout, Map<string, Buffer>>()

/** The body of a fetch: everything any released SDK reads, whichever generation (agent-api §2.1). */
export function fetchedRuleset(
  rollout: CurrentRollout,
  rendering: RulesetDialect,
  signingKeyId: string | null,
): Buffer {
  const key = `${rendering} ${signingKeyId ?? ''}`
  const bodies = made.get(rollout) ?? new Map<string, Buffer>()
  made.set(rollout, bodies)
  const known = bodies.get(key)
  if (known) return known
  const { text, base64, hash } = rollout.renderings[rendering]
  const signed = signatureFor(rollout, rendering, signingKeyId)
  const body = Buffer.from(
    JSON.stringify({
      id: rollout.revisionId,
      tenant_id: rollout.tenant,
      name: rollout.ruleset,
      bundle_name: rollout.ruleset,
      version: rollout.version,
      revision_hash: hash,
      yaml_bytes: base64,
      yaml: text,
      signature: signed?.signature ?? null,
      signature_hex: signed ? Buffer.from(signed.signature, 'base64').toString('hex') : null,
      public_key: signed?.publicKey ?? null,
      key_endorsements: rollout.endorsements.map((one) => ({
        public_key: one.publicKey,
        by: one.by,
        signature: one.signature,
      })),
      source_hub_slug: null,
      source_hub_revision: null,
      uploaded_by: rollout.uploadedBy,
      created_at: rollout.uploadedAt.toISOString(),
      env: rollout.environment,
      deployed_at: rollout.rolledOutAt.toISOString(),
    }),
  )
  bodies.set(key, body)
  return body
}
