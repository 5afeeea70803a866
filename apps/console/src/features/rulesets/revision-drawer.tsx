import type { RulesetDialect } from '@countersign/wire'
import { Button, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useCan } from '../../api/session.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { countWords } from '../../ui/numbers.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { YamlEditor } from '../../ui/yaml/yaml-editor.tsx'
import { keepDraft } from './drafts.ts'
import { revisionQuery } from './queries.ts'
import classes from './revisions.module.css'

type Props = {
  readonly name: string
  readonly version: number
  readonly onClose: () => void
  readonly onCompare: (before: number) => void
}

const renderings: readonly { readonly value: RulesetDialect; readonly label: string }[] = [
  { value: 'ruleset', label: 'Ruleset' },
  { value: 'contract_bundle', label: 'ContractBundle' },
]

/** One revision as agents of either generation are served it. */
export function RevisionDrawer({ name, version, onClose, onCompare }: Props) {
  const { data, error, isError, refetch } = useQuery(revisionQuery(name, version))
  const mayWrite = useCan('rulesets:write')
  const mayRollOut = useCan('rollouts:write')
  const navigate = useNavigate()
  const [chosen, setChosen] = useState<RulesetDialect>()
  const rendering = chosen ?? data?.dialect ?? 'ruleset'
  return (
    <SideDrawer isOpen onClose={onClose} title={`v${version} of ${name}`} width={720}>
      {isError && !data && (
        <Failed what={`v${version} could not be read`} error={error} onRetry={() => void refetch()} />
      )}
      {!data && !isError && <Loading rows={8} />}
      {data && (
        <div className={classes.drawer}>
          <Facts>
            <Fact name="Saved">
              <Instant at={data.uploaded_at} form="exact" /> by <PrincipalChip who={data.uploaded_by} />
            </Fact>
            <Fact name="Note">{data.note ?? <span className={classes.quiet}>none</span>}</Fact>
            <Fact name="Live in">
              {data.live_in.length === 0 && <span className={classes.quiet}>no environment</span>}
              {data.live_in.map((environment) => (
                <EnvironmentTag key={environment} name={environment} />
              ))}
            </Fact>
            {data.parents.length > 0 && (
              <>
                <Fact name="Extends">
                  {data.parents.map((parent) => `${parent.name} v${parent.version}`).join(', ')}
                </Fact>
              </>
            )}
            <Fact name="Hash">
              <code className={classes.hash}>{data.hashes[rendering]}</code>
              <CopyButton text={data.hashes[rendering]} what="the hash" />
            </Fact>
          </Facts>
          <div className={classes.renderingBar}>
            <SegmentedControl
              aria-label="Rendering"
              value={rendering}
              onChange={(value) => setChosen(renderings.find((one) => one.value === value)?.value)}
              data={[...renderings]}
            />
            <span className={classes.quiet}>
              {countWords(data.bytes[rendering])} bytes
              {rendering === data.dialect ? ', as it was written' : ', the same rules in the other words'}
            </span>
            <span className={classes.grow} />
            <CopyButton text={data.yaml[rendering]} what="the text" withWord />
          </div>
          <div className={classes.text}>
            <YamlEditor
              key={rendering}
              label={`v${version} as ${rendering === 'ruleset' ? 'Ruleset' : 'ContractBundle'}`}
              value={data.yaml[rendering]}
            />
          </div>
          <div className={classes.acts}>
            {version > 1 && (
              <Button variant="default" onClick={() => onCompare(version - 1)}>
                Compare with v{version - 1}
              </Button>
            )}
            {mayWrite && (
              <Button
                variant="default"
                onClick={() => {
                  keepDraft(name, { text: data.source, base: version })
                  void navigate({
                    to: '/rulesets/$name',
                    params: { name },
                    search: ({ environment }) => ({ environment }),
                  })
                }}
              >
                Edit from here
              </Button>
            )}
            {mayRollOut && (
              <Button
                onClick={() =>
                  void navigate({
                    to: '/rulesets/$name',
                    params: { name },
                    search: ({ environment }) => ({ environment, tab: 'rollouts', review: version }),
                  })
                }
              >
                Roll out v{version}
              </Button>
            )}
          </div>
        </div>
      )}
    </SideDrawer>
  )
}
