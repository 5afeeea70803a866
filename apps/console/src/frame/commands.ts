import type { Permission } from '../api/types.ts'

export type Command = { readonly word: string; readonly href: string; readonly needs: Permission }

/** What the palette offers to begin; each is an address, so that the page itself asks for the rest. */
export const commands: readonly Command[] = [
  { word: 'Make a key', href: '/keys?make=true', needs: 'keys:write' },
  { word: 'Write a new ruleset', href: '/rulesets?new=true', needs: 'rulesets:write' },
]
