import { commands } from './commands.ts'
import { visibleTo } from './navigation.ts'

/** One line of the palette. */
export type Choice = {
  readonly id: string
  readonly group: string
  readonly word: string
  readonly hint?: string
  readonly href: string
  readonly keys?: readonly string[]
  /** Ids and names that machines made are set in the monospaced face. */
  readonly isCode?: boolean
}

/** Where this person may go and what they may begin. */
export function choicesFor(permissions: readonly string[]): readonly Choice[] {
  const pages = visibleTo(permissions).flatMap(({ destinations }) =>
    destinations.map(({ to, word, key }) => ({ id: `go ${to}`, group: 'Go to', word, href: to, keys: ['g', key] })),
  )
  const doable = commands
    .filter(({ needs }) => permissions.includes(needs))
    .map(({ word, href }) => ({ id: `do ${href}`, group: 'Do', word, href }))
  return [...pages, ...doable]
}

/** Every word that was typed begins a word of the choice, in any order. */
export function matching(choices: readonly Choice[], text: string): readonly Choice[] {
  const wanted = wordsOf(text)
  return choices.filter(({ word }) => {
    const words = wordsOf(word)
    return wanted.every((start) => words.some((candidate) => candidate.startsWith(start)))
  })
}

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}
