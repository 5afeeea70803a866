export type PrincipalRef = {
  readonly kind: 'person' | 'agent' | 'agent_key' | 'system' | 'anyone'
  readonly id: string
  readonly label: string
}

export type Page<Item> = {
  readonly items: readonly Item[]
  readonly next_cursor: string | null
  readonly total?: number
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
