import type { ResolvedAssignment } from '@countersign/wire'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { CheckIcon } from '../../ui/icons.tsx'
import { Notice } from '../../ui/notice.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { rulesetsQuery } from '../rulesets/queries.ts'
import classes from './assignments.module.css'
import { rulesQuery } from './queries.ts'
import { writeTags } from './tags.ts'

type Step = { readonly id: 'explicit' | 'rule' | 'agent_provided'; readonly title: string; readonly words: ReactNode }

/** The answer in a sentence, then everything that was looked at, in the order it was looked at. */
export function Explanation({ answer }: { readonly answer: ResolvedAssignment }) {
  const { agent_id, environment, ruleset, source, order } = answer
  const rulesets = useQuery(rulesetsQuery)
  const live = rulesets.data?.items
    .find(({ name }) => name === ruleset)
    ?.live.find((one) => one.environment === environment)
  const steps = useSteps(answer)
  const at = steps.findIndex(({ id }) => id === source)
  return (
    <section aria-label="Answer" className={classes.answer}>
      <p className={classes.sentence} role="status">
        <code>{agent_id}</code> in <EnvironmentTag name={environment} />{' '}
        {ruleset === null ? (
          'gets no ruleset.'
        ) : (
          <>
            gets <PageLink to={`/rulesets/${ruleset}`}>{ruleset}</PageLink>
            {live ? ` v${live.version}.` : '.'}
          </>
        )}
      </p>
      {ruleset !== null && rulesets.isSuccess && !live && (
        <Notice tone="care">
          {ruleset} is not live in {environment}, so the agent is sent nothing until it is rolled out there.
        </Notice>
      )}
      <ol className={classes.steps}>
        {steps.map(({ id, title, words }, index) => (
          <li key={id} data-decides={id === source || undefined} data-skipped={(at >= 0 && index > at) || undefined}>
            <h2>
              {title}
              {id === source && (
                <span className={classes.decides}>
                  <CheckIcon size={12} />
                  decides
                </span>
              )}
            </h2>
            {at >= 0 && index > at ? <p className={classes.quiet}>Not looked at any more.</p> : words}
          </li>
        ))}
      </ol>
      <p className={classes.quiet}>
        {order === 'operator_first'
          ? 'What people here decide comes before what an agent asks for.'
          : 'What an agent asks for comes before what people here decide; a setting says so.'}
      </p>
    </section>
  )
}

function useSteps(answer: ResolvedAssignment): readonly Step[] {
  const { agent_id, environment, ruleset, source, rule_id, asked, order } = answer
  const rules = useQuery(rulesQuery(environment)).data?.items ?? []
  const winner = rules.findIndex(({ id }) => id === rule_id)
  const named: Step = {
    id: 'explicit',
    title: 'A ruleset given by name',
    words:
      source === 'explicit' ? (
        <p>
          {agent_id} was given {ruleset} by name.
        </p>
      ) : (
        <p>None was given to it.</p>
      ),
  }
  const byRule: Step = {
    id: 'rule',
    title: 'Rules, lowest priority first',
    words:
      rules.length === 0 ? (
        <p>There is no rule for {environment}.</p>
      ) : (
        <ul className={classes.tried}>
          {rules.map(({ id, priority, pattern, tag_match, ruleset: gives }, index) => (
            <li key={id} data-decides={id === rule_id || undefined}>
              <span className={classes.priority}>{priority}</span>
              <code>{pattern}</code>
              {tag_match && <code>{writeTags(tag_match).join(', ')}</code>}
              <span className={classes.quiet}>
                {id === rule_id ? `matches: ${gives}` : winner >= 0 && index > winner ? 'not tried' : 'does not match'}
              </span>
            </li>
          ))}
        </ul>
      ),
  }
  const byAgent: Step = {
    id: 'agent_provided',
    title: 'What the agent asks for',
    words: <p>{asked === null ? 'It never named one.' : `It asks for ${asked}.`}</p>,
  }
  return order === 'agent_first' ? [byAgent, named, byRule] : [named, byRule, byAgent]
}
