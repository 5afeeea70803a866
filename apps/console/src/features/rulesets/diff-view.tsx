import type { SemanticDiff as Diff } from '@countersign/wire'
import { SegmentedControl } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { type ReactNode } from 'react'
import { YamlDiff } from '../../ui/yaml/yaml-diff.tsx'
import classes from './diff.module.css'
import { SemanticDiff } from './semantic-diff.tsx'

type Props = {
  readonly title: ReactNode
  readonly semantic: Diff
  readonly before: { readonly label: string; readonly yaml: string }
  readonly after: { readonly label: string; readonly yaml: string }
}

/** The same difference in words and as text; which of the two somebody reads first is theirs to keep. */
export function DiffView({ title, semantic, before, after }: Props) {
  const [form, setForm] = useLocalStorage({
    key: 'countersign-diff-form',
    defaultValue: 'words',
    getInitialValueInEffect: false,
  })
  return (
    <section aria-label="Difference">
      <div className={classes.head}>
        <h2>{title}</h2>
        <SegmentedControl
          aria-label="How the difference is shown"
          value={form === 'yaml' ? 'yaml' : 'words'}
          onChange={setForm}
          data={[
            { value: 'words', label: 'In words' },
            { value: 'yaml', label: 'YAML' },
          ]}
        />
      </div>
      {form === 'yaml' ? (
        <div className={classes.yaml}>
          <YamlDiff
            before={before.yaml}
            after={after.yaml}
            beforeLabel={before.label}
            afterLabel={after.label}
            isSideBySide
          />
        </div>
      ) : (
        <SemanticDiff diff={semantic} />
      )}
    </section>
  )
}
