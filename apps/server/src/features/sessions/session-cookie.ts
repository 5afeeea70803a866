/** Ours is written; the older products' names are read, so that what knows them goes on working. */
const ours = 'countersign_session'
const read = [ours, 'edictum_session', 'session_token']

export function tokenIn(cookieHeader: string | undefined): string | undefined {
  if (cookieHeader === undefined) return undefined
  const cookies = new Map(
    cookieHeader.split(';').map((part) => {
      const at = part.indexOf('=')
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const
    }),
  )
  for (const name of read) {
    const token = cookies.get(name)
    if (token !== undefined && token !== '') return token
  }
  return undefined
}

export function sessionCookie(token: string, maxAgeSeconds: number, isSecure: boolean): string {
  return `${ours}=${token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${Math.max(0, Math.floor(maxAgeSeconds))}${isSecure ? '; Secure' : ''}`
}

export function clearedCookies(isSecure: boolean): string[] {
  return read.map((name) => `${name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0${isSecure ? '; Secure' : ''}`)
}

/** Whether a header's token has the form of a session's: 32 random bytes. */
export function isSessionToken(token: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(token)
}
