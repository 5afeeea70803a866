import type { RolloutAgentState } from '@countersign/wire'

type StateWords = { readonly state: RolloutAgentState; readonly word: string; readonly help: string }

/** From done to not yet, then those that need a look. Only running counts as acknowledged. */
export const rolloutStates: readonly StateWords[] = [
  { state: 'running', word: 'Running', help: 'an event or a reconnect carried its hash' },
  { state: 'fetched', word: 'Fetched', help: 'asked for it; has not shown yet that it runs it' },
  { state: 'sent', word: 'Sent', help: 'pushed down its stream' },
  { state: 'waiting', word: 'Waiting', help: 'connected; not sent yet' },
  { state: 'overdue', word: 'Overdue', help: 'five minutes without a sign of it' },
  { state: 'offline', word: 'Offline', help: 'gets it when it comes back' },
]

export const stateWords = Object.fromEntries(rolloutStates.map(({ state, word }) => [state, word])) as Readonly<
  Record<RolloutAgentState, string>
>
