import type { Agent } from '../../features/roles/index.ts'
import { type CurrentRollout, chooseRendering } from '../../features/rollouts/index.ts'
import type { RulesetDialect } from '../../features/rulesets/index.ts'
import type { FromMemory } from '../../kernel/http.ts'
import { fetchedRuleset } from './fetched-ruleset.ts'
import { asksForSeen, type Fetch } from './rulesets.ts'

type Needs = {
  /** Each answers from memory, and nothing where what is there could be out of date. */
  readonly memory: {
    readonly agent: (headers: Parameters<FromMemory>[0]['headers']) => Agent | undefined
    readonly rollout: (tenant: string, environment: string, ruleset: string) => CurrentRollout | undefined
    readonly seenDialect: (
      tenant: string,
      environment: string,
      agentId: string,
    ) => { readonly dialect: RulesetDialect | undefined } | undefined
  }
  readonly noteFetch: (fetch: Fetch) => void
  readonly noteAnswered: (route: string, status: number, elapsedMs: number) => void
}

const fetches = /^(\/v1|\/api\/v1)\/(rulesets|bundles)\/([a-zA-Z0-9][a-zA-Z0-9._-]{0,127})\/current$/

/**
 * The fetch of a current ruleset by an agent whose key and ruleset are in memory, which is nearly every one: the same
 * steps as the route's, in the same order, without its promises. Anything else, a refusal above all, is the route's.
 */
export function fetchFromMemory({ memory, noteFetch, noteAnswered }: Needs): FromMemory {
  return (request, path) => {
    const begun = performance.now()
    const [, prefix, family, name = ''] = fetches.exec(path) ?? []
    if (prefix !== '/v1' && prefix !== '/api/v1') return undefined
    const agent = memory.agent(request.headers)
    const rollout = agent && memory.rollout(agent.tenant, agent.environment, name)
    if (!rollout) return undefined
    const isOpen = asksForSeen(agent, prefix)
    const seen = isOpen ? memory.seenDialect(agent.tenant, agent.environment, agent.agentId ?? '') : undefined
    if (isOpen && !seen) return undefined
    const rendering = chooseRendering({ keyRendering: agent.rendering, prefix, seenDialect: seen?.dialect })
    noteFetch({ agent, prefix, rollout, rendering, isNamed: true })
    const bytes = fetchedRuleset(rollout, rendering, agent.signingKeyId)
    noteAnswered(`GET ${prefix}/${family}/:name/current`, 200, performance.now() - begun)
    return { contentType: 'application/json; charset=utf-8', bytes }
  }
}
