import type { Call } from '../evaluate/call.ts'
import type { Rule } from '../model.ts'
import type { Explanation, LimitFinding, RuleExplanation } from './explanation.ts'
import { quoted, reasonsOf } from './in-words.ts'

type Wordless<Explained> = Omit<Explained, 'words'>

/** What became of one rule, in a sentence or two. */
export function ruleInWords(explained: Wordless<RuleExplanation>, rule: Rule): string {
  switch (explained.notConsidered) {
    case 'disabled':
      return 'Not considered: it is disabled.'
    case 'other_tool':
      return `Not considered: it is for ${toolsOf(rule)}, not for this tool.`
    case 'no_output':
      return 'Not considered: it looks at what the tool gives back.'
    case 'already_stopped':
      return `Not asked, since the call was already stopped. By itself it ${saysOf(explained)}.`
    default:
      return `${capital(saysOf(explained))}.`
  }
}

function saysOf(explained: Wordless<RuleExplanation>): string {
  const because = becauseOf(explained)
  const reasons = because === '' ? '' : `: ${because}`
  switch (explained.outcome) {
    case 'unknown':
      return `may or may not fire, depending on what is hidden${reasons}`
    case 'fires':
      return `${effectInWords(explained)}${reasons}${explained.isPolicyError ? '. A rule that cannot be evaluated fires' : ''}`
    default:
      return `has nothing against the call${reasons}`
  }
}

function effectInWords({ effect, action, isCandidate }: Wordless<RuleExplanation>): string {
  switch (effect) {
    case 'observed':
      return `would ${verbs[action]}, but is only ${isCandidate ? 'a candidate' : 'observed'}`
    case 'approved':
      return 'asks for a human, who has approved'
    case 'decided':
    case 'reported':
      return thirdPerson[action]
    case 'none':
    case 'open':
      return `would ${verbs[action]}`
  }
}

const verbs = { block: 'block', ask: 'hold the call for a human', warn: 'warn', redact: 'redact the result' } as const
const thirdPerson = {
  block: 'blocks',
  ask: 'holds the call for a human',
  warn: 'warns',
  redact: 'redacts the result',
} as const

function becauseOf({ condition, sandbox, limits, outcome }: Wordless<RuleExplanation>): string {
  if (condition) return reasonsOf(condition)
  if (limits) return limits.map(limitInWords).join('; ')
  if (!sandbox) return ''
  const wanted = outcome === 'fires' ? 'outside' : outcome === 'unknown' ? 'unknown' : 'inside'
  const findings = sandbox.filter((one) => one.outcome === wanted).map(({ words }) => words)
  if (findings.length === 0)
    return outcome === 'passes' ? 'nothing in the call is bounded by it' : 'a path could not be followed'
  const more = findings.length > 3 ? `; and ${findings.length - 3} more` : ''
  return `${findings.slice(0, 3).join('; ')}${more}`
}

const counted = { max_attempts: 'attempts', max_tool_calls: 'executions', max_calls_per_tool: 'executions' } as const

function limitInWords({ limit, tool, count, max }: LimitFinding): string {
  return `${count} of ${max} ${counted[limit]}${tool === undefined ? '' : ` of ${quoted(tool)}`}`
}

function toolsOf(rule: Rule): string {
  if (rule.type === 'session') return 'every tool'
  const tools = rule.type === 'sandbox' ? rule.tools : [rule.tool]
  return tools.map((tool) => quoted(tool)).join(', ')
}

/** The verdict in one sentence, and who pronounced it. */
export function explanationInWords(explained: Wordless<Explanation>, call: Call): string {
  const { possible, rules, builtIn } = explained
  const tool = quoted(call.tool)
  if (!explained.isDecided) {
    const ways = possible.map(
      ({ verdict, name }) => `${outcomes[verdict]}${name === undefined ? '' : ` by ${quoted(name)}`}`,
    )
    return `What happens to this call of ${tool} depends on values that are hidden: it is ${ways.join(', or ')}.`
  }
  const observed = rules.filter(({ effect }) => effect === 'observed').length
  const aside =
    observed === 0 ? '' : ` ${observed === 1 ? 'One observed rule' : `${observed} observed rules`} would have objected.`
  const verdict = outcomes[explained.verdict ?? 'allow']
  if (builtIn) return `The call of ${tool} is ${verdict}: ${builtIn.message}${aside}`
  const deciding = rules.find(({ effect }) => effect === 'decided')
  if (!deciding) {
    const certain = possible.length > 1 ? ', whatever the hidden values are' : ''
    return `The call of ${tool} is ${verdict}${possible.length > 1 ? certain : ': nothing objects to it'}.${aside}`
  }
  const letThrough = explained.verdict === 'allow' ? ', because this ruleset only observes' : ''
  return `The call of ${tool} is ${verdict}${letThrough}. The rule ${quoted(deciding.id)} ${saysOf(deciding)}.${aside}`
}

const outcomes = { allow: 'allowed', block: 'blocked', ask: 'held for a human' } as const

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}
