import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { counted } from '../../ui/numbers.ts'
import { tell } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { keepDraft, unnamed } from '../rulesets/drafts.ts'
import { useImport } from './import-button.tsx'
import classes from './library.module.css'
import { templatesQuery } from './queries.ts'

/** Whole texts for agents that many people have; each is a beginning, not an answer. */
export function TemplatesTab() {
  const { data, error, isError, refetch } = useQuery(templatesQuery)
  const mayWrite = useCan('rulesets:write')
  const navigate = useNavigate()
  const take = useImport()
  if (isError && !data)
    return <Failed what="The templates could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={5} rowHeight={72} />
  const begin = (title: string, yaml: string): void => {
    keepDraft(unnamed, { text: yaml, base: null })
    tell(`${title} is in the editor`, 'It is not saved yet.')
    void navigate({ to: '/rulesets', search: ({ environment }) => ({ environment, new: true }) })
  }
  return (
    <ul className={classes.templates}>
      {data.items.map(({ name, title, description, rule_count, yaml }) => (
        <li key={name}>
          <div>
            <h2>{title}</h2>
            <p className={ui.quiet}>{description}</p>
            <p className={ui.faint}>{counted(rule_count, 'rule')}</p>
          </div>
          {mayWrite && (
            <div className={classes.line}>
              <Button
                variant="default"
                loading={take.isPending && take.variables === yaml}
                onClick={() => take.mutate(yaml)}
              >
                Take into the library
              </Button>
              <Button onClick={() => begin(title, yaml)}>Begin a ruleset with it</Button>
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}
