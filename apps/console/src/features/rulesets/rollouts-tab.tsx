import type { RulesetSummary } from '@countersign/wire'
import { useNavigate } from '@tanstack/react-router'
import { useEnvironments } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { LivePlace } from './live-place.tsx'
import { ReviewRollout } from './review-rollout.tsx'
import { RolloutDrawer } from './rollout-drawer.tsx'
import { RolloutHistory } from './rollout-history.tsx'
import classes from './rollouts.module.css'
import { rulesetRoute } from './route.ts'
import type { RulesetSearch } from './search.ts'
import { Trials } from './trials.tsx'

/** What is live where and how it got there; with a version to review, the review instead. */
export function RolloutsTab({ ruleset }: { readonly ruleset: RulesetSummary }) {
  const { name } = ruleset
  const { review, into, rollout } = rulesetRoute.useSearch()
  const chosen = useEnvironment()
  const environments = useEnvironments().filter((one) => chosen === undefined || one.name === chosen)
  const navigate = useNavigate()
  const go = (change: Partial<RulesetSearch>, replace = false): void => {
    void navigate({
      to: '/rulesets/$name',
      params: { name },
      search: ({ environment }) => ({ environment, tab: 'rollouts', ...change }),
      replace,
    })
  }
  if (review !== undefined) {
    return (
      <ReviewRollout
        ruleset={ruleset}
        version={review}
        environment={into ?? chosen}
        onChange={(version, environment) => go({ review: version, into: environment }, true)}
        onCancel={() => go({})}
        onDone={(id) => go({ rollout: id }, true)}
        onObserved={() => go({}, true)}
      />
    )
  }
  return (
    <div className={classes.body}>
      <Trials name={name} environment={chosen} />
      <section aria-label="Live now">
        <h2 className={classes.heading}>Live now</h2>
        <ul className={classes.places}>
          {environments.map((environment) => (
            <LivePlace
              key={environment.name}
              ruleset={ruleset}
              environment={environment.name}
              onReview={(version, to) => go({ review: version, into: to })}
              onOpen={(id) => go({ rollout: id })}
            />
          ))}
        </ul>
      </section>
      <RolloutHistory name={name} environment={chosen} openId={rollout} onOpen={(id) => go({ rollout: id })} />
      {rollout !== undefined && (
        <RolloutDrawer
          id={rollout}
          onClose={() => go({})}
          onReview={(version, environment) => go({ review: version, into: environment })}
        />
      )}
    </div>
  )
}
