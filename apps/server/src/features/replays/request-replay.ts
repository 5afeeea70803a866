import type { Bus } from '../../kernel/bus.ts'
import type { Db } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Caller, RequestFacts } from '../roles/index.ts'
import { type FindDraft, findRevision } from '../rulesets/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { cancelReplay, countOpenReplays, insertReplay, pruneReplays, requeueReplay } from './replays-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly findDraft: FindDraft
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

export type ReplayRequest = {
  readonly yaml?: string | undefined
  readonly ruleset?: string | undefined
  readonly version?: number | undefined
  readonly baseline: { readonly ruleset: string; readonly version: number } | null
  readonly since: string
  readonly until: string | undefined
  readonly environment: string | null
  readonly agents: readonly string[]
  readonly tools: readonly string[]
}

/** What one tenant may have waiting or running. */
const openMax = 5
const keptMs = 30 * 86_400_000

export type RequestReplay = (who: Caller, request: ReplayRequest, facts: RequestFacts) => Promise<string>

/** Orders a replay; whoever has workers takes it up at once. */
export function requestReplay({ db, clock, newId, findDraft, tell: { bus, recordAct } }: Needs): RequestReplay {
  return async (who, request, facts) => {
    const { tenant } = who
    const now = clock.now()
    const since = new Date(request.since)
    const until = request.until === undefined ? now : new Date(request.until)
    if (since >= until) throw invalidInput('body.until', 'It must be later than since.')
    const found = await findDraft(tenant, request)
    if (!found.ok) {
      const first = found.diagnostics.find(({ severity }) => severity === 'error')
      throw new Problem(problems.invalidInput, `The ruleset was not accepted. ${first?.message ?? ''}`, {
        errors: [{ path: 'body.yaml', message: first ? `line ${first.line}: ${first.message}` : 'It is not valid.' }],
        facts: { diagnostics: found.diagnostics },
      })
    }
    const { baseline } = request
    if (baseline && !(await findRevision(db, tenant, baseline.ruleset, baseline.version))) throw notFound('revision')
    const id = newId()
    await db.inTx(async (tx) => {
      if ((await countOpenReplays(tx, tenant)) >= openMax) throw tooMany()
      await pruneReplays(tx, tenant, new Date(now.getTime() - keptMs))
      await insertReplay(tx, {
        tenant,
        id,
        ruleset: found.name,
        version: found.version,
        draftText: found.text,
        draftHash: found.hash,
        baseline,
        since,
        until,
        environment: request.environment,
        agents: request.agents,
        tools: request.tools,
        madeBy: who.id,
        madeAt: now,
      })
      await recordAct(tx, {
        ...actorOf(who),
        tenant,
        act: 'replay.requested',
        subject: { kind: 'replay', id },
        request: facts,
        details: {
          ruleset: found.name,
          version: found.version,
          draft_hash: found.hash,
          since: since.toISOString(),
          until: until.toISOString(),
          environment: request.environment,
        },
      })
      await bus.announce(tx, { topic: 'replay.requested', tenant, body: { replay_id: id } })
    })
    return id
  }
}

function tooMany(): Problem {
  const detail = `${openMax} replays are waiting or running already. Wait for one to end, or cancel one.`
  return new Problem(problems.tooManyRequests, detail, { retryAfterSeconds: 10 })
}

/** Begins one that failed or was cancelled again, for the same text and the same calls. */
export function retryReplay({ db, tell: { bus, recordAct } }: Pick<Needs, 'db' | 'tell'>): StopReplay {
  return (who, id, facts) =>
    db.inTx(async (tx) => {
      const { tenant } = who
      if ((await countOpenReplays(tx, tenant)) >= openMax) throw tooMany()
      if (!(await requeueReplay(tx, tenant, id))) {
        throw new Problem(problems.conflict, 'Only a replay that failed or was cancelled can be begun again.')
      }
      await recordAct(tx, {
        ...actorOf(who),
        tenant,
        act: 'replay.retried',
        subject: { kind: 'replay', id },
        request: facts,
      })
      await bus.announce(tx, { topic: 'replay.requested', tenant, body: { replay_id: id } })
    })
}

export type StopReplay = (who: Caller, id: string, facts: RequestFacts) => Promise<void>

/** Ends one that waits, and tells one that runs to end. What has ended stays as it is, and says so. */
export function stopReplay({
  db,
  clock,
  tell: { recordAct },
}: Pick<Needs, 'db' | 'clock'> & { readonly tell: Pick<Needs['tell'], 'recordAct'> }): StopReplay {
  return (who, id, facts) =>
    db.inTx(async (tx) => {
      if (!(await cancelReplay(tx, who.tenant, id, clock.now()))) {
        throw new Problem(problems.conflict, 'This replay has ended already.')
      }
      await recordAct(tx, {
        ...actorOf(who),
        tenant: who.tenant,
        act: 'replay.cancelled',
        subject: { kind: 'replay', id },
        request: facts,
      })
    })
}
