import { eventHistogram } from './events.ts'
import { idText, instant, nullable, principalRef } from './list.ts'
import { Type } from './type.ts'

export const overview = Type.Object({
  needs_you: Type.Object({
    pending: Type.Integer(),
    items: Type.Array(
      Type.Object({
        id: idText,
        agent_id: Type.String(),
        tool: Type.String(),
        environment: Type.String(),
        message: Type.String(),
        asked_at: instant,
        deadline: instant,
      }),
      { description: 'The five whose deadlines are nearest' },
    ),
  }),
  /** The last 24 hours. */
  histogram: eventHistogram,
  day: Type.Object({
    events: Type.Integer(),
    allowed: Type.Integer(),
    blocked: Type.Integer(),
    held: Type.Integer(),
    observed: Type.Integer(),
    failed: Type.Integer(),
    active_agents: Type.Integer(),
  }),
  changes: Type.Array(
    Type.Object({
      number: nullable(Type.Integer({ description: 'Of the trail entry; null until it is sequenced' })),
      at: instant,
      act: Type.String({ description: 'rollout.created, key.revoked, assignment.changed …' }),
      actor: principalRef,
      subject: Type.Object({ kind: Type.String(), id: Type.String() }),
      details: Type.Record(Type.String(), Type.Unknown(), {
        description: 'As recorded, so that names can be shown for ids',
      }),
    }),
  ),
  fleet: Type.Object({
    total: Type.Integer(),
    connected: Type.Integer(),
    current: Type.Integer(),
    updating: Type.Integer(),
    drifting: Type.Integer(),
    silent: Type.Integer(),
    unknown: Type.Integer(),
  }),
  top_blocked_rules: Type.Array(Type.Object({ rule: nullable(Type.String()), count: Type.Integer() })),
  start: Type.Object({
    has_key: Type.Boolean(),
    has_rollout: Type.Boolean(),
    has_agent: Type.Boolean(),
    has_event: Type.Boolean(),
    is_done: Type.Boolean({ description: 'All four: the first steps need not be shown' }),
  }),
})
