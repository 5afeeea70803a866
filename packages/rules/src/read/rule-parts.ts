import type { Action, Rule, Wait } from '../model.ts'
import { child, type MapPlace, type Reading, readCount, readString } from './fields.ts'
import { readTimeoutAction } from './words.ts'

/** What every kind of rule has. */
export type Head = Pick<Rule, 'id' | 'enabled' | 'mode' | 'line' | 'endLine'>

/** What each kind of rule can do. */
export const actionsOf = {
  pre: ['block', 'ask'],
  post: ['warn', 'redact', 'block'],
  session: ['block'],
  sandbox: ['block', 'ask'],
} as const satisfies Readonly<Record<Rule['type'], readonly Action[]>>

export function readMessage(parent: MapPlace, reading: Reading): string | undefined {
  const charactersMax = reading.limits.messageCharacters
  return readString(
    parent,
    'message',
    { code: 'rule.message', name: 'message', isRequired: true, charactersMax },
    reading,
  )
}

export function readWait(parent: MapPlace, reading: Reading): Wait | undefined {
  const place = child(parent, 'timeout')
  const timeoutSeconds = place ? readCount(place, 'rule.timeout', 'timeout', reading) : 300
  const timeoutAction = readTimeoutAction(parent, reading)
  return timeoutSeconds === undefined || !timeoutAction ? undefined : { timeoutSeconds, timeoutAction }
}
