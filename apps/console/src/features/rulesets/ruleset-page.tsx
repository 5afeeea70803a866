import type { RulesetSummary } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { PageTabs } from '../../ui/page-tabs.tsx'
import ui from '../../ui/ui.module.css'
import { AgentsTab } from './agents-tab.tsx'
import { useDraft } from './drafts.ts'
import { EditorTab } from './editor-tab.tsx'
import { LiveTags } from './live-tags.tsx'
import { rulesetQuery } from './queries.ts'
import { RevisionsTab } from './revisions-tab.tsx'
import { RolloutsTab } from './rollouts-tab.tsx'
import { rulesetRoute } from './route.ts'
import { type Tab, tabs } from './search.ts'
import { TryTab } from './try-tab.tsx'

const words: Readonly<Record<Tab, string>> = {
  editor: 'Editor',
  try: 'Try a call',
  revisions: 'Revisions',
  rollouts: 'Rollouts',
  agents: 'Agents',
}

export function RulesetPage() {
  const { name } = rulesetRoute.useParams()
  const { tab = 'editor', review } = rulesetRoute.useSearch()
  const navigate = useNavigate()
  const mayReadFleet = useCan('fleet:read')
  const mayRollOut = useCan('rollouts:write')
  const { data, error, isError, refetch } = useQuery(rulesetQuery(name))
  const [draft] = useDraft(name)
  const shown = tabs.filter((one) => one !== 'agents' || mayReadFleet)
  const go = (change: { readonly tab?: Tab; readonly review?: number }): void => {
    void navigate({
      to: '/rulesets/$name',
      params: { name },
      search: ({ environment }) => ({ environment, ...change }),
    })
  }
  return (
    <Page
      title={name}
      width="full"
      crumbs={[{ word: 'Rulesets', to: '/rulesets' }]}
      aside={data && <LiveTags live={data.live} latest={data.latest.version} />}
    >
      {isError && !data && <Failed what={`${name} could not be read`} error={error} onRetry={() => void refetch()} />}
      {!data && !isError && <Loading />}
      {data && (
        <PageTabs
          label={`Parts of ${name}`}
          value={tab}
          onChange={(chosen) => go({ tab: chosen })}
          parts={shown.map((one) => ({
            name: one,
            word: (
              <>
                {words[one]}
                {one === 'editor' && draft && <span className={ui.faint}> · not saved</span>}
              </>
            ),
            body: bodyOf(one, data),
          }))}
          acts={
            mayRollOut &&
            review === undefined && (
              <Button variant="default" onClick={() => go({ tab: 'rollouts', review: data.latest.version })}>
                Roll out v{data.latest.version}
              </Button>
            )
          }
        />
      )}
    </Page>
  )
}

function bodyOf(tab: Tab, ruleset: RulesetSummary): ReactNode {
  switch (tab) {
    case 'editor':
      return <EditorTab ruleset={ruleset} />
    case 'try':
      return <TryTab ruleset={ruleset} />
    case 'revisions':
      return <RevisionsTab ruleset={ruleset} />
    case 'rollouts':
      return <RolloutsTab ruleset={ruleset} />
    case 'agents':
      return <AgentsTab ruleset={ruleset} />
  }
}
