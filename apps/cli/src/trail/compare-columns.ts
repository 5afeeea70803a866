import type { TrailEntry } from '@countersign/trail'
import type { Copies, Row } from './read-rows.ts'

/** Columns are what searches go by: one that says something else hides an entry without touching it. */
export function differences(
  row: Row,
  stored: Copies & { readonly actorKind: string },
  entry: TrailEntry,
): readonly string[] {
  const written = {
    tenant: entry.tenant,
    at: entry.at,
    act: entry.act,
    outcome: entry.outcome,
    actorId: shownInColumns(entry.actor.id),
    subjectKind: entry.subject.kind,
    subjectId: shownInColumns(entry.subject.id),
    requestId: entry.request.id === undefined ? null : shownInColumns(entry.request.id),
  }
  const found: string[] = []
  if (row.entryId !== entry.id)
    found.push(`Entry ${row.number} calls itself ${entry.id} but is stored as ${row.entryId}.`)
  const compare = (table: string, name: string, column: unknown, wanted: unknown): void => {
    if (column === wanted) return
    found.push(
      `Entry ${row.number}: the column for ${name} in ${table} says ${JSON.stringify(column)}, the entry itself says ${JSON.stringify(wanted)}.`,
    )
  }
  for (const [table, copies] of [
    ['trail_entries', stored],
    ['trail_sequence', row.numbered],
  ] as const) {
    for (const name of ['tenant', 'act', 'outcome', 'actorId', 'subjectKind', 'subjectId', 'requestId'] as const)
      compare(table, name, copies[name], written[name])
    compare(table, 'at', copies.at.toISOString(), written.at)
  }
  compare('trail_entries', 'actorKind', stored.actorKind, entry.actor.kind)
  return found
}

/** As the server writes them: PostgreSQL's text has no U+0000. */
function shownInColumns(text: string): string {
  return text.replaceAll('\0', '\\u0000')
}
