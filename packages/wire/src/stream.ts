import type { Permission } from './permission.ts'

/**
 * What GET /api/v2/stream tells the console: the event's name, whose data is a JSON object of ids and small facts, and
 * the permission without which it is not sent. Clients fetch anew what they show. A client that comes back says which
 * event it saw last (Last-Event-ID) and is told what it missed, some of it perhaps twice, or `reset`.
 */
export const streamTopics = {
  'approval.created': 'approvals:read',
  'approval.voted': 'approvals:read',
  'approval.decided': 'approvals:read',
  'approval.timed_out': 'approvals:read',
  'approval.cancelled': 'approvals:read',
  'events.arrived': 'events:read',
  'rollout.created': 'rulesets:read',
  'rollout.progress': 'rulesets:read',
  'rollout_trial.changed': 'rulesets:read',
  'ruleset.uploaded': 'rulesets:read',
  'agent.connected': 'fleet:read',
  'agent.disconnected': 'fleet:read',
  'agent.changed': 'fleet:read',
  'agent.silent': 'fleet:read',
  'agent.drifting': 'fleet:read',
  'assignment.changed': 'fleet:read',
  'key.created': 'keys:read',
  'key.revoked': 'keys:read',
  'key.changed': 'keys:read',
  'signing_key.rotated': 'keys:read',
  'signing_key.retired': 'keys:read',
  'person.changed': 'people:read',
  'role.changed': 'roles:read',
  'token.changed': 'tokens:read',
  'environment.changed': 'overview:read',
  'settings.changed': 'settings:read',
} as const satisfies Record<string, Permission>

export type StreamTopic = keyof typeof streamTopics

/** `session.ended` closes the stream of the session that ended; after `reset` everything shown must be fetched anew. */
export const streamControls = ['session.ended', 'reset'] as const
export type StreamEventName = StreamTopic | (typeof streamControls)[number]

export const streamTopicNames = Object.keys(streamTopics) as readonly StreamTopic[]
