import { randomToken } from '../../src/kernel/crypto.ts'

export type KnownSecrets = ReturnType<typeof knownSecrets>

/** Secrets that a test gave out or was given, to be looked for in what a program said. */
export function knownSecrets() {
  const known = new Map<string, string>()
  const know = (what: string, secret: string): string => {
    if (secret.length < 6) throw new Error(`${what} is no secret that could be looked for: ${secret}`)
    known.set(secret, what)
    return secret
  }
  return {
    know,
    make: (what: string): string => know(what, `made-${randomToken(24)}`),
    count: (): number => known.size,
    /** What was said of them, by what each is and never by itself. */
    foundIn: (output: string): readonly string[] =>
      [...known].filter(([secret]) => isSaid(secret, output)).map(([, what]) => what),
  }
}

function isSaid(secret: string, output: string): boolean {
  // Six digits are also in the middle of longer numbers, where they are nobody's code.
  if (/^\d+$/.test(secret)) return new RegExp(`(?<![\\d.])${secret}(?!\\d)`).test(output)
  const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').replace(/=+$/, '')]
  return forms.some((form) => output.includes(form))
}
