import type { RulesetSummary } from '@countersign/wire'
import { useQuery } from '@tanstack/react-query'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { revisionQuery } from './queries.ts'
import { rulesetRoute } from './route.ts'
import { RulesetEditor } from './ruleset-editor.tsx'

export function EditorTab({ ruleset: { name, latest } }: { readonly ruleset: RulesetSummary }) {
  const { data, error, isError, refetch } = useQuery(revisionQuery(name, latest.version))
  const { line } = rulesetRoute.useSearch()
  if (isError && !data) {
    return <Failed what={`v${latest.version} could not be read`} error={error} onRetry={() => void refetch()} />
  }
  if (!data) return <Loading rowHeight={24} />
  return (
    <RulesetEditor key={name} draftKey={name} name={name} original={data.source} base={latest.version} line={line} />
  )
}
