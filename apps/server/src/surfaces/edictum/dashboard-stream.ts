import type { Permission } from '@countersign/wire'
import { type Route, route } from '../../features/roles/index.ts'
import type { ConsoleHub, Speak } from '../../features/streams/index.ts'

type Words = {
  readonly type: string
  readonly needs: Permission
  /** The older names of what a message says. */
  readonly fields: Readonly<Record<string, string>>
}

const place = { ruleset: 'bundle_name', version: 'version', environment: 'env' }
const contract = { rule_id: 'contract_id', version: 'version' }
const approval = { approval_id: 'approval_id', id: 'approval_id', environment: 'env', agent_id: 'agent_id' }

const words: Readonly<Record<string, Words>> = {
  'approval.created': { type: 'approval_created', needs: 'approvals:read', fields: approval },
  'approval.decided': { type: 'approval_decided', needs: 'approvals:read', fields: approval },
  'approval.cancelled': { type: 'approval_decided', needs: 'approvals:read', fields: approval },
  'approval.timed_out': { type: 'approval_timeout', needs: 'approvals:read', fields: approval },
  'events.arrived': { type: 'event_created', needs: 'events:read', fields: { accepted: 'count' } },
  'rollout.created': { type: 'bundle_deployed', needs: 'rulesets:read', fields: place },
  'ruleset.uploaded': { type: 'bundle_uploaded', needs: 'rulesets:read', fields: place },
  'assignment.changed': {
    type: 'assignment_changed',
    needs: 'fleet:read',
    fields: { ruleset: 'bundle_name', rule_id: 'rule_id', agent_ids: 'agent_ids', environment: 'env' },
  },
  'library_rule.created': { type: 'contract_created', needs: 'rulesets:read', fields: { rule_id: 'contract_id' } },
  'library_rule.changed': { type: 'contract_updated', needs: 'rulesets:read', fields: contract },
  'composition.changed': {
    type: 'composition_changed',
    needs: 'rulesets:read',
    fields: { composition: 'composition_name' },
  },
  'key.created': { type: 'api_key_created', needs: 'keys:read', fields: { key_id: 'key_id', environment: 'env' } },
  'key.revoked': { type: 'api_key_revoked', needs: 'keys:read', fields: { key_id: 'key_id', environment: 'env' } },
  'signing_key.rotated': { type: 'signing_key_rotated', needs: 'keys:read', fields: {} },
}

/** What happened, in the words of the older console's pages (console §19). */
const speakEdictum: Speak = ({ topic, body }) => {
  const said = words[topic]
  if (!said) return undefined
  const fields = Object.entries(said.fields).flatMap(([ours, theirs]) =>
    body[ours] === undefined ? [] : [[theirs, body[ours]] as const],
  )
  return { name: said.type, data: { type: said.type, ...Object.fromEntries(fields) }, needs: said.needs }
}

export function dashboardStreamRoutes({ consoles }: { readonly consoles: Pick<ConsoleHub, 'open'> }): readonly Route[] {
  return [
    route({
      does: 'Tell an older console what happens',
      method: 'GET',
      path: '/stream/dashboard',
      needs: 'signed-in',
      answersItself: true,
      handle: ({ who, reply }) => consoles.open(who, reply, { speak: speakEdictum, isResumable: false }),
    }),
  ]
}
