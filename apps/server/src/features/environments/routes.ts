import { environment, environmentChange, environmentDraft, environmentName, pageOf, Type } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import { type Db, isUniqueViolation, sqlState } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import { type Caller, type RequestFacts, type Route, route } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { deleteEnvironment, insertEnvironment, listEnvironments, updateEnvironment } from './environments-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
}

const params = Type.Object({ name: environmentName })
const done = Type.Object({ name: environmentName })

export function environmentRoutes({ db, clock, bus, recordAct }: Needs): readonly Route[] {
  const change = async (
    who: Caller,
    facts: RequestFacts,
    act: 'environment.created' | 'environment.changed' | 'environment.deleted',
    name: string,
    details: Record<string, string | number | boolean>,
    write: (tx: Parameters<Parameters<Db['inTx']>[0]>[0]) => Promise<void>,
  ) => {
    await db.inTx(async (tx) => {
      await write(tx)
      await recordAct(tx, {
        tenant: who.tenant,
        act,
        ...actorOf(who),
        subject: { kind: 'environment', id: name },
        request: facts,
        details,
      })
      await bus.announce(tx, { topic: 'environment.changed', tenant: who.tenant, body: { name } })
    })
    return { name }
  }

  return [
    route({
      does: 'List environments',
      method: 'GET',
      path: '/environments',
      needs: 'signed-in',
      answers: pageOf(environment),
      handle: async ({ who }) => {
        const rows = await listEnvironments(db, who.tenant)
        const items = rows.map(({ name, color, position, isProtected, keyCount }) => ({
          name,
          color,
          position,
          is_protected: isProtected,
          key_count: keyCount,
        }))
        return { items, next_cursor: null }
      },
    }),
    route({
      does: 'Add an environment',
      method: 'POST',
      path: '/environments',
      needs: 'environments:write',
      factor: 'step-up',
      status: 201,
      body: environmentDraft,
      answers: done,
      handle: ({ who, body, facts }) => {
        const draft = {
          name: body.name,
          color: body.color,
          position: body.position ?? 100,
          isProtected: body.is_protected ?? false,
        }
        const { name, ...details } = draft
        return change(who, facts, 'environment.created', name, details, async (tx) => {
          await insertEnvironment(tx, who.tenant, draft, clock.now()).catch((cause: unknown) => {
            if (!isUniqueViolation(cause)) throw cause
            throw new Problem(problems.conflict, `There is already an environment ${name}.`, { cause })
          })
        })
      },
    }),
    route({
      does: 'Change how an environment is shown and protected',
      method: 'PATCH',
      path: '/environments/:name',
      needs: 'environments:write',
      factor: 'step-up',
      params,
      body: environmentChange,
      answers: done,
      handle: ({ who, params: { name }, body, facts }) =>
        change(who, facts, 'environment.changed', name, { ...body }, async (tx) => {
          const found = await updateEnvironment(tx, who.tenant, name, {
            ...(body.color !== undefined && { color: body.color }),
            ...(body.position !== undefined && { position: body.position }),
            ...(body.is_protected !== undefined && { isProtected: body.is_protected }),
          })
          if (!found) throw notFound('environment')
        }),
    }),
    route({
      does: 'Remove an environment that nothing uses',
      method: 'DELETE',
      path: '/environments/:name',
      needs: 'environments:write',
      factor: 'step-up',
      params,
      answers: done,
      handle: ({ who, params: { name }, facts }) =>
        change(who, facts, 'environment.deleted', name, {}, async (tx) => {
          const found = await deleteEnvironment(tx, who.tenant, name).catch((cause: unknown) => {
            if (sqlState(cause) !== '23503') throw cause
            throw new Problem(problems.conflict, `Keys, rollouts or assignments refer to ${name}, so it stays.`, {
              cause,
            })
          })
          if (!found) throw notFound('environment')
        }),
    }),
  ]
}
