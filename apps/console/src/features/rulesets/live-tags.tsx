import type { RulesetSummary } from '@countersign/wire'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import ui from '../../ui/ui.module.css'
import classes from './rulesets.module.css'

type Props = { readonly live: RulesetSummary['live']; readonly latest: number }

/** Where a ruleset is live and in which version; one that is not the latest says so in words. */
export function LiveTags({ live, latest }: Props) {
  if (live.length === 0) return <span className={ui.faint}>not live</span>
  return (
    <span className={classes.liveTags}>
      {live.map(({ environment, version }) => (
        <span key={environment} className={classes.liveTag}>
          <EnvironmentTag name={environment} />
          <code title={version === latest ? 'The latest revision' : `v${latest} is the latest`}>v{version}</code>
          {version !== latest && <span className={ui.faint}>of {latest}</span>}
        </span>
      ))}
    </span>
  )
}
