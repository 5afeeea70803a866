import type { ShownDetail } from '../events/types.ts'
import { type CallDraft, emptyCall, principalText, written } from './call-draft.ts'

/** The call an agent reported, to be tried again. */
export function callOfEvent({ tool, environment, argsJson, args, principal }: ShownDetail): CallDraft {
  return {
    ...emptyCall,
    tool,
    environment,
    // Written anew for reading, unless that would cost a digit of a long number.
    args: args === null ? '{}' : /\d{16}/.test(argsJson) ? argsJson : written(args),
    principal: principalText(principal),
  }
}
