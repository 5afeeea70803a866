import type { Permission } from '../api/types.ts'

export type Command = { readonly word: string; readonly href: string; readonly needs: Permission }

/** What the palette offers to begin; each is an address, so that the page itself asks for the rest. */
export const commands: readonly Command[] = [
  { word: 'Make a key', href: '/keys?make=true', needs: 'keys:write' },
  { word: 'Invite somebody', href: '/people?invite=true', needs: 'people:write' },
  { word: 'Make a role', href: '/roles?new=true', needs: 'roles:write' },
  { word: 'Make an API token', href: '/tokens?make=true', needs: 'tokens:write' },
  { word: 'Add an environment', href: '/settings?tab=environments', needs: 'environments:write' },
  { word: 'Rotate the signing key', href: '/settings?tab=signing', needs: 'signing-keys:write' },
  { word: 'Change your password', href: '/account#password', needs: 'overview:read' },
  { word: 'Add a second factor', href: '/account?add=true', needs: 'overview:read' },
  { word: 'Write a new ruleset', href: '/rulesets?new=true', needs: 'rulesets:write' },
  { word: 'Try a call on a ruleset', href: '/rehearse', needs: 'rulesets:read' },
  { word: 'Replay recorded calls', href: '/rehearse?tab=replays&start=true', needs: 'replays:write' },
  { word: 'Write a rule for the library', href: '/library?new=true', needs: 'rulesets:write' },
  { word: 'Begin with a template', href: '/library?tab=templates', needs: 'rulesets:read' },
  { word: 'Add an assignment rule', href: '/assignments?rule=new', needs: 'assignments:write' },
  { word: 'Explain which ruleset an agent gets', href: '/assignments?tab=why', needs: 'rulesets:read' },
]
