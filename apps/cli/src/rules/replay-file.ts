import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { decidingActions, type RecordedEvent, type ReplayOutcome, replay } from '@countersign/rehearsal'
import type { Compiled } from '@countersign/rules'

type Line = Readonly<Record<string, unknown>>

const deciding: ReadonlySet<string> = new Set(decidingActions)

/**
 * Replays an export of events (JSON Lines, as the console's Events page and `GET /api/v2/events/export` write it). An
 * export begins with its newest event, so it is read whole before it is replayed.
 */
export async function replayFile(
  file: string,
  draft: Compiled,
  baseline: Compiled | undefined,
): Promise<{ readonly outcome: ReplayOutcome; readonly lines: number }> {
  const events: RecordedEvent[] = []
  let lines = 0
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (text.trim() === '') continue
    lines += 1
    const event = readEvent(text, lines, file)
    if (event) events.push(event)
  }
  events.sort((a, b) => a.atMs - b.atMs)
  const first = events[0]?.atMs ?? 0
  const running = replay({ draft, baseline, sinceMs: first, untilMs: (events.at(-1)?.atMs ?? first) + 1 })
  for (const event of events) running.add(event)
  return { outcome: running.end(), lines }
}

function readEvent(text: string, number: number, file: string): RecordedEvent | undefined {
  const line = parsed(text)
  const word = (name: string): string => (typeof line?.[name] === 'string' ? line[name] : '')
  const atMs = Date.parse(word('at'))
  if (!line || word('tool') === '' || word('verdict') === '' || Number.isNaN(atMs)) {
    throw new Error(`${file}, line ${number}: this is no line of an export of events (JSON Lines).`)
  }
  if (!deciding.has(word('verdict'))) return undefined
  return {
    id: word('id'),
    atMs,
    agent: word('agent_id'),
    environment: word('environment'),
    tool: word('tool'),
    action: word('verdict'),
    mode: word('mode'),
    rule: word('rule'),
    callId: word('call_id') || `line ${number}`,
    payload: JSON.stringify(line['payload'] ?? {}),
  }
}

function parsed(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Line) : undefined
  } catch {
    // Told by the caller, with the line's number.
    return undefined
  }
}
