import { invalidInput } from '../../kernel/problem.ts'

export const passwordLengthMin = 12
const passwordLengthMax = 1024

/** Length is what counts (NIST SP 800-63B §3.1.1.2): no rules about kinds of characters. */
export function checkPassword(password: string, path = 'body.password'): void {
  if (password.includes('\0')) throw invalidInput(path, 'A password cannot contain a NUL character.')
  const length = [...password].length
  if (length < passwordLengthMin) throw invalidInput(path, `A password needs at least ${passwordLengthMin} characters.`)
  if (length > passwordLengthMax) throw invalidInput(path, `A password has at most ${passwordLengthMax} characters.`)
}
