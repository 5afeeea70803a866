/** What the streams need to know of a ruleset that is live; `features/rollouts` keeps it in memory. */
export type Rollout = {
  readonly rolloutId: string
  readonly ruleset: string
  readonly version: number
  readonly renderings: Readonly<Record<RenderingName, Rendering>>
}

export type RenderingName = 'ruleset' | 'contract_bundle'

export type Rendering = {
  readonly text: string
  readonly base64: string
  readonly hash: string
  readonly signatures: ReadonlyMap<string, { readonly signature: string; readonly publicKey: string }>
}

export type Prefix = '/v1' | '/api/v1'
export type AssignmentSource = 'explicit' | 'rule' | 'agent_provided' | 'none'

export type Assignment = {
  readonly ruleset: string | null
  readonly source: AssignmentSource
  readonly ruleId?: string | undefined
  readonly rulePattern?: string | undefined
}

export function hasHash({ renderings }: Rollout, hash: string): boolean {
  return renderings.ruleset.hash === hash || renderings.contract_bundle.hash === hash
}
