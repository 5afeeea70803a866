import type { Column } from './data-table/columns.ts'
import { EnvironmentTag } from './environment-tag.tsx'
import { PageLink } from './page-link.tsx'
import ui from './ui.module.css'

type InEnvironment = { readonly environment: string }
type OfAgent = InEnvironment & { readonly agent_id: string }
type GivesRuleset = { readonly ruleset: string; readonly is_rolled_out: boolean }

/** An agent by its id, on its way to its page. */
export function agentColumn<Row extends OfAgent>(width = 'minmax(140px, 1.4fr)'): Column<Row> {
  return {
    id: 'agent',
    header: 'Agent',
    width,
    isFixed: true,
    cell: ({ agent_id, environment }) => (
      <PageLink to={`/fleet/${environment}/${agent_id}`} className={ui.cutMono}>
        {agent_id}
      </PageLink>
    ),
  }
}

export function environmentColumn<Row extends InEnvironment>(): Column<Row> {
  return {
    id: 'environment',
    header: 'Environment',
    width: '150px',
    isWideOnly: true,
    cell: ({ environment }) => <EnvironmentTag name={environment} />,
  }
}

/** What an assignment gives, and a warning where it would give nothing. */
export function givenRulesetColumn<Row extends GivesRuleset>(header: string): Column<Row> {
  return {
    id: 'ruleset',
    header,
    width: 'minmax(150px, 1.4fr)',
    isFixed: true,
    cell: ({ ruleset, is_rolled_out }) => (
      <>
        <PageLink to={`/rulesets/${ruleset}`} className={ui.cut}>
          {ruleset}
        </PageLink>
        {!is_rolled_out && <span className={ui.care}>not live there</span>}
      </>
    ),
  }
}
