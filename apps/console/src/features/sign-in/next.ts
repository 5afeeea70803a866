/** Where to go after signing in: a path of this console, never another site's. */
export function readNext(value: unknown): string | undefined {
  if (typeof value !== 'string' || !value.startsWith('/')) return undefined
  const here = 'https://console.invalid'
  const url = URL.parse(value, here)
  if (url?.origin !== here || url.pathname.startsWith('/sign-in')) return undefined
  // Dots are resolved only now: of `/.//x` two slashes are left, which name another site.
  if (url.pathname.startsWith('//')) return undefined
  return `${url.pathname}${url.search}${url.hash}`
}
