import { Button, Tabs } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import ui from '../../ui/ui.module.css'
import { AgentsTab } from './agents-tab.tsx'
import { useDraft } from './drafts.ts'
import { EditorTab } from './editor-tab.tsx'
import { LiveTags } from './live-tags.tsx'
import { rulesetQuery } from './queries.ts'
import { RevisionsTab } from './revisions-tab.tsx'
import { RolloutsTab } from './rollouts-tab.tsx'
import { rulesetRoute } from './route.ts'
import classes from './rulesets.module.css'
import { type Tab, tabs } from './search.ts'

const words: Readonly<Record<Tab, string>> = {
  editor: 'Editor',
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
        <Tabs
          value={tab}
          onChange={(value) => go({ tab: tabs.find((one) => one === value) })}
          keepMounted={false}
          className={classes.tabs}
        >
          <div className={classes.tabBar}>
            <Tabs.List aria-label={`Parts of ${name}`} className={classes.tabList}>
              {shown.map((one) => (
                <Tabs.Tab key={one} value={one}>
                  {words[one]}
                  {one === 'editor' && draft && <span className={ui.faint}> · not saved</span>}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {mayRollOut && review === undefined && (
              <Button variant="default" onClick={() => go({ tab: 'rollouts', review: data.latest.version })}>
                Roll out v{data.latest.version}
              </Button>
            )}
          </div>
          <Tabs.Panel value="editor" className={classes.panel}>
            <EditorTab ruleset={data} />
          </Tabs.Panel>
          <Tabs.Panel value="revisions" className={classes.panel}>
            <RevisionsTab ruleset={data} />
          </Tabs.Panel>
          <Tabs.Panel value="rollouts" className={classes.panel}>
            <RolloutsTab ruleset={data} />
          </Tabs.Panel>
          {mayReadFleet && (
            <Tabs.Panel value="agents" className={classes.panel}>
              <AgentsTab ruleset={data} />
            </Tabs.Panel>
          )}
        </Tabs>
      )}
    </Page>
  )
}
