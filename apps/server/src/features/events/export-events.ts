import { csvField } from '../../kernel/csv.ts'
import type { EventScope } from './event-scope.ts'
import type { Page, searchEvents } from './search-events.ts'
import { showEvent } from './show-event.ts'

const columns = [
  'id',
  'at',
  'received_at',
  'environment',
  'agent_id',
  'tool',
  'verdict',
  'mode',
  'rule',
  'reason',
  'call_id',
  'session_id',
  'side_effect',
  'revision',
  'ruleset',
  'duration_ms',
  'key_prefix',
] as const

const rowsPerPage = 1_000

/** The lines of an export, newest event first, read page by page while they are written. */
export async function* exportLines(
  search: ReturnType<typeof searchEvents>,
  scope: EventScope,
  format: 'csv' | 'jsonl',
): AsyncGenerator<string> {
  if (format === 'csv') yield `${columns.join(',')}\r\n`
  let after: Page['next']
  do {
    const page = await search(scope, { after, limit: rowsPerPage, patienceMs: Number.POSITIVE_INFINITY })
    let lines = ''
    for (const one of page.events) {
      const shown = showEvent(one)
      lines +=
        format === 'csv'
          ? `${columns.map((column) => csvField(shown[column])).join(',')}\r\n`
          : `${JSON.stringify({ ...shown, payload: one.payload })}\n`
    }
    if (lines !== '') yield lines
    after = page.next
  } while (after)
}
