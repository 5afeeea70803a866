import type { AgentHistoryEntry } from '@countersign/wire'

export const agentStatuses = ['current', 'updating', 'drifting', 'silent', 'unknown'] as const
export type AgentStatus = (typeof agentStatuses)[number]

export const statusWords: Readonly<Record<AgentStatus, { readonly word: string; readonly help: string }>> = {
  current: { word: 'Current', help: 'Runs what is rolled out for it, or did when it was last heard of' },
  updating: {
    word: 'Updating',
    help: 'A new revision was rolled out less than five minutes ago, and it does not run it yet',
  },
  drifting: { word: 'Drifting', help: 'Runs something else than what is rolled out for it' },
  silent: { word: 'Silent', help: 'Has no stream and was not heard of for as long as the settings allow' },
  unknown: { word: 'Unknown', help: 'Never said what it runs, or nothing is rolled out for it' },
}

export const sourceWords: Readonly<Record<'explicit' | 'rule' | 'agent_provided' | 'none', string>> = {
  explicit: 'assigned by name',
  rule: 'by an assignment rule',
  agent_provided: 'its own choice',
  none: 'nothing assigned',
}

export const evidenceWords: Readonly<Record<'event' | 'stream' | 'fetch', string>> = {
  event: 'its events say so',
  stream: 'it said so when it connected',
  fetch: 'it fetched it',
}

/** One line of an agent's timeline. */
export function historyWords({ kind, facts }: AgentHistoryEntry): string {
  const revision =
    facts.version == null
      ? `revision ${(facts.revision_hash ?? '').slice(0, 8)}`
      : `${facts.ruleset ?? ''} v${facts.version}`
  switch (kind) {
    case 'first_seen':
      return 'Seen for the first time'
    case 'connected':
      return 'Connected'
    case 'disconnected':
      return 'Disconnected'
    case 'silent':
      return 'Gone silent'
    case 'revision':
      return facts.revision_hash == null && facts.version == null ? 'Runs an unknown revision' : `Runs ${revision}`
    case 'assignment':
      return facts.ruleset == null ? 'Assigned nothing' : `Assigned ${facts.ruleset}`
  }
}
