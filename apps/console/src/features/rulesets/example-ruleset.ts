import { useQuery } from '@tanstack/react-query'
import { useCan } from '../../api/session.ts'
import { rulesetsQuery } from './queries.ts'

/** What a program that is shown as an example should follow: what is live where its key is good, or the editor's first one. */
export function useExampleRuleset(environment: string): string {
  const { data } = useQuery({ ...rulesetsQuery, enabled: useCan('rulesets:read') })
  const rulesets = data?.items ?? []
  const live = rulesets.find((ruleset) => ruleset.live.some((one) => one.environment === environment))
  return (live ?? rulesets[0])?.name ?? 'my-ruleset'
}
