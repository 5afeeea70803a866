import {
  baselinesPreview,
  environmentBaselines,
  environmentBaselinesBody,
  environmentBaselinesParams,
  previewBaselinesBody,
} from '@countersign/wire'
import { notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { PreviewBaselines } from './preview-baselines.ts'
import type { Baselines } from './set-baselines.ts'

type Needs = {
  readonly baselines: Baselines
  readonly preview: PreviewBaselines
  readonly hasEnvironment: (tenant: string, name: string) => Promise<boolean>
}

export function baselineRoutes({ baselines, preview, hasEnvironment }: Needs): readonly Route[] {
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
      factor: 'step-up',
      params: environmentBaselinesParams,
      body: environmentBaselinesBody,
      answers: environmentBaselines,
      handle: ({ who, params: { name }, body, facts }) => baselines.set(who, name, body, facts),
    }),
    route({
      does: 'Tell what other baselines would change for everything that is live in an environment',
      method: 'POST',
      path: '/environments/:name/baselines/preview',
      needs: 'rulesets:read',
      params: environmentBaselinesParams,
      body: previewBaselinesBody,
      answers: baselinesPreview,
      handle: async ({ who, params: { name }, body }) => {
        if (!(await hasEnvironment(who.tenant, name))) throw notFound('environment')
        return preview(who.tenant, name, body.baselines)
      },
    }),
  ]
}
