import type { LibraryRuleDetail, RulesetDialect } from '@countersign/wire'
import { Button, SegmentedControl, Select } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { useCan } from '../../api/session.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { YamlEditor } from '../../ui/yaml/yaml-editor.tsx'
import classes from './library.module.css'
import { libraryRuleQuery, libraryRuleVersionQuery, rulePath } from './queries.ts'
import { RuleForm } from './rule-form.tsx'

type Props = { readonly id: string; readonly onClose: () => void }

/** One rule in any of its versions, and where it is used. */
export function RuleDrawer({ id, onClose }: Props) {
  const { data, error, isError, refetch } = useQuery(libraryRuleQuery(id))
  const [isEditing, setEditing] = useState(false)
  if (data && isEditing) {
    return <RuleForm rule={data} onClose={() => setEditing(false)} onSaved={() => setEditing(false)} />
  }
  return (
    <SideDrawer isOpen onClose={onClose} title={data?.name ?? id} width={680}>
      {isError && !data && <Failed what={`${id} could not be read`} error={error} onRetry={() => void refetch()} />}
      {!data && !isError && <Loading rows={6} />}
      {data && <Shown rule={data} onEdit={() => setEditing(true)} onClose={onClose} />}
    </SideDrawer>
  )
}

type ShownProps = { readonly rule: LibraryRuleDetail; readonly onEdit: () => void; readonly onClose: () => void }

function Shown({ rule, onEdit, onClose }: ShownProps) {
  const mayWrite = useCan('rulesets:write')
  const [version, setVersion] = useState(rule.version)
  const [dialect, setDialect] = useState<RulesetDialect>('ruleset')
  const older = useQuery({ ...libraryRuleVersionQuery(rule.rule_id, version), enabled: version !== rule.version })
  const shown = version === rule.version ? rule : (older.data ?? rule)
  const text = shown.yaml[dialect]
  return (
    <div className={classes.form}>
      <Facts>
        <Fact name="Id">
          <code>{rule.rule_id}</code>
          <CopyButton text={rule.rule_id} what="the id" />
        </Fact>
        {rule.description !== null && <Fact name="About">{rule.description}</Fact>}
        <Fact name="Type">{rule.type}</Fact>
        {rule.tags.length > 0 && <Fact name="Tags">{rule.tags.join(', ')}</Fact>}
        <Fact name="Saved">
          <Instant at={shown.made_at} form="exact" /> by <PrincipalChip who={shown.made_by} />
        </Fact>
        <Fact name="Used in">
          {rule.used_by.length === 0 && <span className={ui.quiet}>no composition</span>}
          {rule.used_by.map((use) => (
            <PageLink
              key={use.composition}
              to="/library"
              search={{ tab: 'compositions', composition: use.composition }}
            >
              {use.composition} (v{use.version})
            </PageLink>
          ))}
        </Fact>
      </Facts>
      <div className={classes.line}>
        <Select
          aria-label="Version"
          className={classes.versionChoice}
          data={rule.versions.map((one) => ({
            value: String(one.version),
            label: one.version === rule.version ? `v${one.version}, the newest` : `v${one.version}`,
          }))}
          value={String(version)}
          onChange={(value) => setVersion(Number(value ?? rule.version))}
        />
        <SegmentedControl
          aria-label="Rendering"
          value={dialect}
          onChange={(value) => setDialect(value === 'ruleset' ? 'ruleset' : 'contract_bundle')}
          data={[
            { value: 'ruleset', label: 'Ruleset' },
            { value: 'contract_bundle', label: 'ContractBundle' },
          ]}
        />
        <span className={classes.grow} />
        <CopyButton text={text} what="the text" withWord />
      </div>
      <div className={classes.text}>
        <YamlEditor key={`${dialect} ${shown.version}`} label={`v${shown.version} of ${rule.rule_id}`} value={text} />
      </div>
      {mayWrite && (
        <div className={classes.line}>
          <Remove rule={rule} onDone={onClose} />
          <span className={classes.grow} />
          <Button onClick={onEdit}>Write the next version</Button>
        </div>
      )}
    </div>
  )
}

function Remove({ rule, onDone }: { readonly rule: LibraryRuleDetail; readonly onDone: () => void }) {
  const client = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.delete(rulePath(rule.rule_id)),
    onSuccess: () => {
      tell(`${rule.rule_id} was removed`, 'Rulesets that were made with it stay as they are.')
      onDone()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['library'] }),
  })
  if (rule.used_by.length > 0) return null
  return (
    <>
      <Button variant="default" className={classes.sharp} onClick={() => setOpen(true)}>
        Remove
      </Button>
      <ConfirmDestructive
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={`Remove ${rule.rule_id}`}
        name={rule.rule_id}
        action="Remove the rule"
        onConfirm={() => remove.mutate()}
        isBusy={remove.isPending}
        error={remove.error}
      >
        <p>All of its {rule.versions.length === 1 ? 'one version goes' : `${rule.versions.length} versions go`}.</p>
      </ConfirmDestructive>
    </>
  )
}
