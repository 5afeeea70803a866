import { TextInput } from '@mantine/core'
import { SearchIcon } from './icons.tsx'
import toolbar from './toolbar.module.css'

type Props = {
  readonly label: string
  /** What of a row is looked at. */
  readonly placeholder: string
  readonly text: string | undefined
  readonly onText: (text: string | undefined) => void
}

/** Narrows a list that is there as a whole to the rows that hold a text; the address of the page keeps it. */
export function FindField({ label, placeholder, text, onText }: Props) {
  return (
    <TextInput
      className={toolbar.find}
      aria-label={label}
      placeholder={placeholder}
      leftSection={<SearchIcon size={14} />}
      value={text ?? ''}
      onChange={(event) => onText(event.currentTarget.value || undefined)}
    />
  )
}
