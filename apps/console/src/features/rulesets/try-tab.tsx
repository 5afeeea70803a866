import type { RulesetSummary } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Playground } from '../rehearse/playground.tsx'
import classes from '../rehearse/rehearse.module.css'
import { revisionQuery } from './queries.ts'

/** A call against the text as it stands in the editor, saved or not. */
export function TryTab({ ruleset: { name, latest } }: { readonly ruleset: RulesetSummary }) {
  const { data, error, isError, refetch } = useQuery(revisionQuery(name, latest.version))
  const navigate = useNavigate()
  const mayReplay = useCan('replays:write')
  if (isError && !data) {
    return <Failed what={`v${latest.version} could not be read`} error={error} onRetry={() => void refetch()} />
  }
  if (!data) return <Loading rowHeight={24} />
  return (
    <Playground
      key={name}
      draftKey={name}
      label={`Text of ${name}`}
      original={data.source}
      base={latest.version}
      acts={() => (
        <>
          <span>The text as it stands in the editor, saved or not.</span>
          <span className={classes.grow} />
          {mayReplay && (
            <Button
              variant="default"
              onClick={() =>
                void navigate({
                  to: '/rehearse',
                  search: ({ environment }) => ({ environment, tab: 'replays', start: true, ruleset: name }),
                })
              }
            >
              Replay recorded calls
            </Button>
          )}
        </>
      )}
    />
  )
}
