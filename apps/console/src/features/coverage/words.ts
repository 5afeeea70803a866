import type { AgentCoverageRow } from '@countersign/wire'

/** Which rules the answer stands on. */
export function sourceWords({ source, running }: Pick<AgentCoverageRow, 'source' | 'running'>): string {
  switch (source) {
    case 'revision':
      return running === null
        ? 'a stored revision'
        : `${running.ruleset ?? 'a ruleset'}${running.version === null ? '' : ` v${running.version}`}`
    case 'manifest':
      return 'its own report'
    case 'nothing':
      return 'nothing is known of its rules'
  }
}
