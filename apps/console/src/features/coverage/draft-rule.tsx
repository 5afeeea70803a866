import type { DraftRule } from '@countersign/wire'
import { Button, Menu } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { ChevronDownIcon } from '../../ui/icons.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import { keepDraft } from '../rulesets/drafts.ts'
import { pathOf } from '../rulesets/queries.ts'

type Props = {
  readonly tool: string
  /** Where the rule may go, the likeliest first. */
  readonly rulesets: readonly string[]
}

/** From a tool without a rule to a text with one, in the editor; nothing is saved. */
export function DraftRuleButton({ tool, rulesets }: Props) {
  const mayWrite = useCan('rulesets:write')
  const navigate = useNavigate()
  const draft = useMutation({
    mutationFn: (ruleset: string) => api.post<DraftRule>(`${pathOf(ruleset)}/draft-rule`, { tool }),
    onSuccess: ({ ruleset, yaml, based_on_version, rule_id, line }) => {
      keepDraft(ruleset, { text: yaml, base: based_on_version })
      tell(`${rule_id} is drafted in ${ruleset}`, 'It asks a person about every call; change it, then save it.')
      void navigate({
        to: '/rulesets/$name',
        params: { name: ruleset },
        search: ({ environment }) => ({ environment, line }),
      })
    },
    onError: (error) => tellFailure('No rule was drafted', wordsFor(error)),
  })
  const [first, ...others] = rulesets
  if (!mayWrite || first === undefined) return null
  if (others.length === 0) {
    return (
      <Button variant="default" size="compact-sm" loading={draft.isPending} onClick={() => draft.mutate(first)}>
        Draft a rule
      </Button>
    )
  }
  return (
    <Menu>
      <Menu.Target>
        <Button
          variant="default"
          size="compact-sm"
          loading={draft.isPending}
          rightSection={<ChevronDownIcon size={12} />}
        >
          Draft a rule
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {rulesets.map((ruleset) => (
          <Menu.Item key={ruleset} onClick={() => draft.mutate(ruleset)}>
            in {ruleset}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
