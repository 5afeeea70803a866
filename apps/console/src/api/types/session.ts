import type { Permission } from '@countersign/wire'

export type { Permission }

export type Environment = {
  readonly name: string
  readonly color: string
  readonly position: number
  readonly is_protected: boolean
}

export type Session = {
  readonly person: { readonly id: string; readonly email: string; readonly name: string; readonly role: string }
  readonly tenant: { readonly id: string; readonly name: string }
  readonly permissions: readonly string[]
  readonly environments: readonly Environment[]
  readonly server: { readonly version: string; readonly base_url: string; readonly profile: string }
}
