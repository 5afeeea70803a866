import { addressOf, type OpenedEntry } from './scan-entries.ts'

/** Entries that say the same one after the other, told once: the newest, how many there are, and where they begin. */
export type Folded = { readonly newest: OpenedEntry; readonly oldest: OpenedEntry; readonly count: number }

/**
 * Folds repeats for reading; what is stored stays as it is. Same: who, with what, from where, did what to what, and how it
 * ended; refusals for different reasons are not. Only neighbors in the list are folded, so that the order of what happened stays true.
 */
export function foldRepeats() {
  const groups: Folded[] = []
  let open: Folded | undefined
  let openName = ''
  return {
    add: (one: OpenedEntry): void => {
      const name = nameOf(one)
      if (open && name === openName) {
        open = { ...open, oldest: one, count: open.count + 1 }
        return
      }
      if (open) groups.push(open)
      open = { newest: one, oldest: one, count: 1 }
      openName = name
    },
    /** Groups that are known to be whole, since another began. */
    whole: (): readonly Folded[] => groups,
    all: (): readonly Folded[] => (open ? [...groups, open] : groups),
  }
}

function nameOf(one: OpenedEntry): string {
  const { act, outcome, actor, subject, details } = one.entry
  const { kind, id, credential = '', key_id: keyId = '' } = actor
  return JSON.stringify([
    act,
    outcome,
    kind,
    id,
    credential,
    keyId,
    subject.kind,
    subject.id,
    addressOf(one) ?? '',
    details['code'] ?? '',
  ])
}
