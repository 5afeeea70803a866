import { Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import whole from '../../ui/whole.module.css'
import { eventQuery } from '../events/queries.ts'
import { unnamed } from '../rulesets/drafts.ts'
import { revisionQuery, rulesetsQuery } from '../rulesets/queries.ts'
import { starter } from '../rulesets/starter.ts'
import { callOfEvent } from './call-of-event.ts'
import { changeCall } from './call-store.ts'
import { Playground } from './playground.tsx'
import classes from './rehearse.module.css'
import { rehearseRoute } from './route.ts'

const own = ''

export function PlaygroundTab() {
  const { ruleset = own, event } = rehearseRoute.useSearch()
  const navigate = useNavigate()
  const rulesets = useQuery(rulesetsQuery)
  useRecordedCall(event)
  const chosen = rulesets.data?.items.find(({ name }) => name === ruleset)
  const version = chosen?.latest.version
  const revision = useQuery({ ...revisionQuery(ruleset, version ?? 1), enabled: version !== undefined })
  const choice = (
    <>
      <Select
        aria-label="Ruleset"
        className={classes.rulesetChoice}
        data={[
          { value: own, label: 'A text of your own' },
          ...(rulesets.data?.items ?? []).map(({ name, latest }) => ({
            value: name,
            label: `${name} v${latest.version}`,
          })),
        ]}
        value={ruleset}
        onChange={(value) =>
          void navigate({
            to: '/rehearse',
            search: ({ environment }) => ({ environment, event, ruleset: value || undefined }),
          })
        }
      />
      {ruleset !== own && <PageLink to={`/rulesets/${ruleset}`}>Open in the editor</PageLink>}
    </>
  )
  if (ruleset === own) {
    return (
      <Playground key={own} draftKey={unnamed} label="Text to try" original={starter} base={null} acts={() => choice} />
    )
  }
  const failed = [rulesets, revision].find(({ isError, data }) => isError && !data)
  if (failed) {
    return <Failed what={`${ruleset} could not be read`} error={failed.error} onRetry={() => void failed.refetch()} />
  }
  if (rulesets.isSuccess && !chosen) {
    return (
      <div className={whole.bar}>
        {choice}There is no ruleset {ruleset}.
      </div>
    )
  }
  if (!revision.data || version === undefined) return <Loading rowHeight={24} />
  return (
    <Playground
      key={ruleset}
      draftKey={ruleset}
      label={`Text of ${ruleset}`}
      original={revision.data.source}
      base={version}
      acts={(_text, draft) => (
        <>
          {choice}
          <span className={classes.grow} />
          {draft && <span role="status">Changed and not saved</span>}
        </>
      )}
    />
  )
}

/** An address that names a recorded call brings that call. */
function useRecordedCall(id: string | undefined): void {
  const { data } = useQuery({ ...eventQuery(id ?? ''), enabled: id !== undefined })
  useEffect(() => {
    if (data) changeCall(callOfEvent(data))
  }, [data])
}
