import { randomInt } from '../../kernel/crypto.ts'

// RFC 8628 §6.1: consonants only, so that no word comes of it, and nothing that looks like something else.
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

/** What a person compares, or types: 34 bits, for ten minutes and a limited number of tries. */
export function makeUserCode(): string {
  const code = Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('')
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/** The code as it was made, however it was typed. */
export function readUserCode(typed: string): string {
  const code = typed.toUpperCase().replaceAll(/[^A-Z]/g, '')
  return `${code.slice(0, 4)}-${code.slice(4)}`
}
