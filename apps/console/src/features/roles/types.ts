import type * as wire from '@countersign/wire'
import type { Static } from '@countersign/wire'

export type Role = Static<typeof wire.role>
export type PermissionView = Static<typeof wire.permissionView>
export type RoleList = Static<typeof wire.roleList>
export type RoleHolders = Static<typeof wire.roleHolders>
