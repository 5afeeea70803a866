import { type Rule, ruleMode } from '@countersign/rules'
import type { Revision } from './revision.ts'

/** What this agent has loaded, as it tells its server: proof to nobody, but how a fleet sees who enforces what. */
export function manifestOf(agentId: string, { hash, compiled }: Revision): object {
  const { ruleset } = compiled
  const rules = ruleset.rules
    .filter(({ enabled }) => enabled)
    .map((rule) => ({ id: rule.id, type: rule.type, ...toolsOf(rule), mode: ruleMode(rule, ruleset) }))
  return { agent_id: agentId, policy_version: hash, rules }
}

function toolsOf(rule: Rule): object {
  switch (rule.type) {
    case 'pre':
    case 'post':
      return { tool: rule.tool }
    case 'sandbox':
      return { tool: rule.tools }
    case 'session':
      return {}
  }
}
