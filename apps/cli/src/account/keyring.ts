/** Keeps secrets by the server they are for. Each throws when the keyring cannot be reached or refuses. */
export type Keyring = {
  readonly get: (server: string) => string | undefined
  readonly set: (server: string, secret: string) => void
  readonly remove: (server: string) => void
}

const service = 'countersign'

/** The operating system's keyring. Read only by whoever needs it: other commands must not load a native library. */
export async function systemKeyring(): Promise<Keyring> {
  const { Entry } = await import('@napi-rs/keyring')
  return {
    get: (server) => new Entry(service, server).getPassword() ?? undefined,
    set: (server, secret) => {
      const entry = new Entry(service, server)
      entry.setPassword(secret)
      // Some say yes and keep nothing: a session that is gone at the next command helps nobody.
      if (entry.getPassword() !== secret) throw new Error('it did not keep what it was given')
    },
    remove: (server) => void new Entry(service, server).deletePassword(),
  }
}
