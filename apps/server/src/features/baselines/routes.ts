import { environmentBaselines, environmentBaselinesBody, environmentBaselinesParams } from '@countersign/wire'
import { notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { Baselines } from './set-baselines.ts'

type Needs = {
  readonly baselines: Baselines
  readonly hasEnvironment: (tenant: string, name: string) => Promise<boolean>
}

export function baselineRoutes({ baselines, hasEnvironment }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell which rules every ruleset of an environment includes',
      method: 'GET',
      path: '/environments/:name/baselines',
      needs: 'rulesets:read',
      params: environmentBaselinesParams,
      answers: environmentBaselines,
      handle: async ({ who, params: { name } }) => {
        if (!(await hasEnvironment(who.tenant, name))) throw notFound('environment')
        return baselines.show(who.tenant, name)
      },
    }),
    route({
      does: 'Set the rules that every ruleset of an environment includes, and roll out what is live with them',
      method: 'PUT',
      path: '/environments/:name/baselines',
      needs: 'rollouts:write',
      params: environmentBaselinesParams,
      body: environmentBaselinesBody,
      answers: environmentBaselines,
      handle: ({ who, params: { name }, body, facts }) => baselines.set(who, name, body.baselines, facts),
    }),
  ]
}
