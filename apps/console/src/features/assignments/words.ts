import type { AssignmentResolution } from '@countersign/wire'

/** How an agent came to its ruleset, as the rest of a sentence. */
export function becauseOf({ source, rule_pattern }: Omit<AssignmentResolution, 'ruleset'>): string {
  switch (source) {
    case 'explicit':
      return 'assigned by name'
    case 'rule':
      return `by the rule ${rule_pattern ?? ''}`.trim()
    case 'agent_provided':
      return 'it asks for it itself'
    case 'none':
      return 'nothing names one'
  }
}
