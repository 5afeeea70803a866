import { randomToken } from '../../kernel/crypto.ts'

/** `rgw_` and 32 random bytes in padded base64url: what clients of the older gateway expect a token to look like. */
export const tokenPattern = /^rgw_[A-Za-z0-9_-]{43}=$/

export function makeTokenText(): { readonly text: string; readonly prefix: string } {
  const text = `rgw_${randomToken()}=`
  return { text, prefix: text.slice(0, 12) }
}
