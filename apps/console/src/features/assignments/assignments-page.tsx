import { Tabs } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { Page } from '../../frame/page.tsx'
import classes from './assignments.module.css'
import { NamedTab } from './named-tab.tsx'
import { assignmentsRoute } from './route.ts'
import { RulesTab } from './rules-tab.tsx'
import { type Tab, tabs } from './search.ts'
import { WhyTab } from './why-tab.tsx'

const words: Readonly<Record<Tab, string>> = { rules: 'Rules', named: 'Agents by name', why: 'Why does it get this?' }

/** Which agent follows which ruleset: agents named one by one win over rules, rules over what an agent asks for. */
export function AssignmentsPage() {
  const { tab = 'rules' } = assignmentsRoute.useSearch()
  const navigate = useNavigate()
  return (
    <Page title="Assignments" width="full">
      <Tabs
        value={tab}
        onChange={(value) => {
          const known = tabs.find((one) => one === value)
          void navigate({ to: '/assignments', search: ({ environment }) => ({ environment, tab: known }) })
        }}
        keepMounted={false}
        className={classes.tabs}
      >
        <Tabs.List aria-label="Assignments" className={classes.tabList}>
          {tabs.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {words[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="rules" className={classes.panel}>
          <RulesTab />
        </Tabs.Panel>
        <Tabs.Panel value="named" className={classes.panel}>
          <NamedTab />
        </Tabs.Panel>
        <Tabs.Panel value="why" className={classes.panel}>
          <WhyTab />
        </Tabs.Panel>
      </Tabs>
    </Page>
  )
}
