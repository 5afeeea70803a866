import { lazyRouteComponent } from '@tanstack/react-router'
import { PageNotLoaded } from './document-state.ts'

/** A page whose code is fetched when it is first opened or pointed at. Left to itself the router would reload into nothing while the server is away. */
export function lazyPage<Page extends Record<string, unknown>, Name extends keyof Page & string>(
  load: () => Promise<Page>,
  name: Name,
) {
  return lazyRouteComponent(async () => {
    try {
      return await load()
    } catch (cause) {
      throw new PageNotLoaded(cause)
    }
  }, name)
}
