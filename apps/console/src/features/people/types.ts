import type * as wire from '@countersign/wire'
import type { Static } from '@countersign/wire'

export type Person = Static<typeof wire.person>
export type PersonStatus = Person['status']
export type Invitation = Static<typeof wire.invitation>
export type RoleGrant = Static<typeof wire.roleGrant>
export type LinkState = Static<typeof wire.linkState>
