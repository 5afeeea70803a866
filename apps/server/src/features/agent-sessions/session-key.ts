import { invalidInput } from '../../kernel/problem.ts'

const keyBytesMax = 16 * 1_024
const control = /[\0-\x1f\x7f]/

/** Any text that is not empty, holds no control characters and is not absurdly long (agent-api §7.1). */
export function checkSessionKey(key: string, path: string): string {
  if (key === '') throw invalidInput(path, 'A key must not be empty.')
  if (control.test(key) || !key.isWellFormed()) throw invalidInput(path, 'A key must not contain control characters.')
  if (Buffer.byteLength(key) > keyBytesMax) throw invalidInput(path, `A key may have ${keyBytesMax} bytes.`)
  return key
}
