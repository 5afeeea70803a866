import type { Secret } from '../../kernel/crypto.ts'

/** What whoever sets the server up must know: configured, or made at start and printed with the link. */
export type SetupToken = { readonly matches: (given: string) => boolean; readonly reveal: () => string }

export function setupToken(secret: Secret): SetupToken {
  return { matches: (given) => secret.matches(given), reveal: () => secret.reveal() }
}
