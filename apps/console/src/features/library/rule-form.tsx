import type { LibraryRuleDetail } from '@countersign/wire'
import { Button, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import { YamlEditor } from '../../ui/yaml/yaml-editor.tsx'
import classes from './library.module.css'
import { idOfName } from './order.ts'
import { rulePath } from './queries.ts'

const starter = `type: pre
tool: read_file
when:
  args.path: { contains: .env }
then:
  action: block
  message: Files with secrets are not for agents.
`

type Props = {
  /** The rule whose next version is written; undefined for a new one. */
  readonly rule: LibraryRuleDetail | undefined
  readonly onClose: () => void
  readonly onSaved: (id: string) => void
}

export function RuleForm({ rule, onClose, onSaved }: Props) {
  const client = useQueryClient()
  const [name, setName] = useState(rule?.name ?? '')
  const [writtenId, setWrittenId] = useState<string>()
  const [description, setDescription] = useState(rule?.description ?? '')
  const [tags, setTags] = useState<string[]>([...(rule?.tags ?? [])])
  const [yaml, setYaml] = useState(rule?.yaml.ruleset ?? starter)
  const id = rule?.rule_id ?? writtenId ?? idOfName(name)
  const save = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), description: description.trim(), tags, yaml }
      return rule
        ? api.put<LibraryRuleDetail>(rulePath(rule.rule_id), body)
        : api.post<LibraryRuleDetail>('/library/rules', { rule_id: id, ...body })
    },
    onSuccess: async (saved) => {
      await client.invalidateQueries({ queryKey: ['library'] })
      void client.invalidateQueries({ queryKey: ['compositions'] })
      tell(`v${saved.version} of ${saved.rule_id} is saved`, 'Compositions keep theirs until somebody upgrades them.')
      onSaved(saved.rule_id)
    },
  })
  const faults = fieldErrors(save.error)
  const isElsewhere = save.isError && !Object.keys(faults).some((path) => ['rule_id', 'name'].includes(path))
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    save.mutate()
  }
  return (
    <SideDrawer
      isOpen
      onClose={onClose}
      title={rule ? `v${rule.version + 1} of ${rule.rule_id}` : 'New rule'}
      width={680}
    >
      <form className={classes.form} onSubmit={submit}>
        <div className={classes.two}>
          <TextInput
            label="Name"
            placeholder="No secrets"
            required
            withAsterisk={false}
            maxLength={255}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={faults['name']}
            data-autofocus
          />
          <TextInput
            label="Id"
            description={rule ? undefined : 'The rule has it in every ruleset.'}
            placeholder="no-secrets"
            disabled={rule !== undefined}
            value={id}
            onChange={(event) => setWrittenId(event.currentTarget.value)}
            error={faults['rule_id']}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
          />
        </div>
        <Textarea
          label="Description"
          autosize
          minRows={1}
          maxRows={5}
          maxLength={2000}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <TagsInput label="Tags" value={tags} onChange={setTags} splitChars={[',', ' ']} maxTags={32} />
        <div>
          <p className={classes.label}>Rule</p>
          <div className={classes.text}>
            <YamlEditor label="Rule as YAML" value={yaml} onChange={setYaml} />
          </div>
        </div>
        {isElsewhere && <Notice tone="bad">{wordsFor(save.error)}</Notice>}
        <div className={classes.line}>
          <span className={classes.grow} />
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={save.isPending} disabled={name.trim() === '' || id === ''}>
            {rule ? `Save v${rule.version + 1}` : 'Put it into the library'}
          </Button>
        </div>
      </form>
    </SideDrawer>
  )
}
