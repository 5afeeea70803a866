import { Page } from '../../frame/page.tsx'
import { unnamed } from './drafts.ts'
import { RulesetEditor } from './ruleset-editor.tsx'
import { starter } from './starter.ts'

/** A text to begin with; its `metadata.name` names the ruleset. */
export function NewRuleset() {
  return (
    <Page title="New ruleset" width="full" crumbs={[{ word: 'Rulesets', to: '/rulesets' }]}>
      <RulesetEditor draftKey={unnamed} name={null} original={starter} base={null} />
    </Page>
  )
}
