import { environmentName, identifier, Type } from '@countersign/wire'
import { type Route, route } from '../../features/roles/index.ts'
import { findRollout, listRollouts, type RollOut, type RolloutRow } from '../../features/rollouts/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, Problem, problems } from '../../kernel/problem.ts'

type Needs = { readonly db: Sql; readonly rollOut: RollOut }

/** Rollouts in the words of older clients: deploying a version, and the list of deployments. */
export function deploymentRoutes({ db, rollOut }: Needs): readonly Route[] {
  return [
    route({
      does: 'Roll a version out',
      method: 'POST',
      path: '/rulesets/:name/:version/deploy',
      needs: 'rollouts:write',
      status: 201,
      params: Type.Object({ name: identifier, version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }) }),
      body: Type.Object({ env: environmentName }),
      handle: async ({ who, params: { name, version }, body: { env }, facts }) => {
        const order = { ruleset: name, version, environment: env }
        const { id } = await rollOut(who, order, facts).catch((cause: unknown) => {
          throw inOldWords(cause, name, version)
        })
        const made = await findRollout(db, who.tenant, id)
        return made && deploymentOf(made)
      },
    }),
    route({
      does: 'List rollouts, newest first',
      method: 'GET',
      path: '/deployments',
      needs: 'rulesets:read',
      query: Type.Object({
        bundle_name: Type.Optional(identifier),
        env: Type.Optional(environmentName),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
      }),
      handle: async ({ who, query: { bundle_name, env, limit = 50 } }) => {
        const rows = await listRollouts(db, who.tenant, { ruleset: bundle_name, environment: env }, limit)
        return rows.map(deploymentOf)
      },
    }),
  ]
}

/** A version that is not there was always 422 here, since it is the body that orders it. */
function inOldWords(cause: unknown, name: string, version: number): unknown {
  if (!(cause instanceof Problem)) return cause
  if (cause.errors.some(({ path }) => path === 'body.environment')) return invalidInput('body.env', cause.detail)
  if (cause.kind !== problems.notFound) return cause
  return new Problem(problems.invalidInput, `Bundle '${name}' version ${version} not found`, { cause })
}

function deploymentOf(row: RolloutRow) {
  return {
    id: row.id,
    env: row.environment,
    bundle_name: row.ruleset,
    bundle_version: row.version,
    deployed_by: row.byEmail ?? row.by,
    created_at: row.at.toISOString(),
  }
}
