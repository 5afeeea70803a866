const base = 'http://server.invalid'

/**
 * Whether a path names what it seems to. Parts of it may come from the console's own address, where `..%2Fkeys` would
 * lead a request, with the session of whoever followed the link, to another thing than the page says.
 */
export function isPlainPath(path: string): boolean {
  const url = URL.parse(path, base)
  return url?.origin === base && url.pathname === path
}
