import type { AgentKey } from '../../api/types.ts'

export const renderingWords: Readonly<Record<AgentKey['rendering'], string>> = {
  auto: 'Automatic',
  contract_bundle: 'ContractBundle',
  ruleset: 'Ruleset',
}

export const renderingChoices = [
  { value: 'auto', label: 'Automatic: by the path the agent calls' },
  { value: 'ruleset', label: 'Ruleset: Python 0.17, TypeScript 0.2, Go 0.3 and later' },
  { value: 'contract_bundle', label: 'ContractBundle: older kits' },
] as const

/** What a key is called where it has no label. */
export function nameOf({ label, prefix }: Pick<AgentKey, 'label' | 'prefix'>): string {
  return label === '' ? `${prefix}…` : label
}

export function holds({ label, prefix, made_by }: AgentKey, words: string | undefined): boolean {
  const sought = (words ?? '').trim().toLowerCase()
  return [label, prefix, made_by.label].some((text) => text.toLowerCase().includes(sought))
}
