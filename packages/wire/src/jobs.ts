import { environmentName, idText, instant, nullable, pageOf, pageQuery, principalRef } from './list.ts'
import { type Static, Type } from './type.ts'

/** What somebody ordered and the server does in the background. */
export const jobKind = Type.Union([
  Type.Literal('replay', { description: 'A ruleset tried on recorded calls' }),
  Type.Literal('trial', { description: 'A rollout that observes first' }),
])
export type JobKind = Static<typeof jobKind>

export const jobStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('running'),
  Type.Literal('waiting', { description: 'For a person to decide' }),
  Type.Literal('done'),
  Type.Literal('failed'),
  Type.Literal('cancelled', { description: 'By somebody, or since another took its place' }),
])
export type JobStatus = Static<typeof jobStatus>

export const job = Type.Object({
  id: idText,
  kind: jobKind,
  status: jobStatus,
  ruleset: Type.String(),
  version: nullable(Type.Integer({ description: 'Null for a draft' })),
  environment: nullable(environmentName),
  progress: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'How far it is, where that can be told' })),
  attempts: Type.Integer({ description: 'How often it was begun; after a process ended another begins it again' }),
  is_cancelling: Type.Boolean(),
  failure: nullable(Type.String()),
  can_retry: Type.Boolean(),
  can_cancel: Type.Boolean(),
  made_by: principalRef,
  made_at: instant,
  started_at: nullable(instant),
  ended_at: nullable(instant),
})
export type Job = Static<typeof job>

export const jobList = pageOf(job)
export const jobQuery = Type.Object({
  status: Type.Optional(jobStatus),
  kind: Type.Optional(jobKind),
  ...pageQuery,
})
export const jobParams = Type.Object({ id: idText })

/** Periodic work of the replica that answers. What fails is begun again by itself. */
export const recurringJob = Type.Object({
  name: Type.String(),
  state: Type.Union([
    Type.Literal('running'),
    Type.Literal('stopped', { description: 'This replica leaves it to others' }),
    Type.Literal('crashed', { description: 'It has not succeeded for three periods' }),
  ]),
  every_seconds: Type.Number(),
  last_success_at: nullable(instant),
  consecutive_failures: Type.Integer(),
  failures: Type.Integer({ description: 'Since this process began' }),
  restarts: Type.Integer({ description: 'Times it hung and was begun anew' }),
})
export type RecurringJob = Static<typeof recurringJob>
export const recurringJobs = Type.Object({
  replica: Type.String({ description: 'Which process answers; others may fare differently' }),
  items: Type.Array(recurringJob),
})
export type RecurringJobs = Static<typeof recurringJobs>
