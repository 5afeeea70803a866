import { Checkbox, Popover, Switch, UnstyledButton } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { useDensity } from '../density.ts'
import { ColumnsIcon } from '../icons.tsx'
import type { Column, ColumnChoice } from './columns.ts'
import classes from './data-table.module.css'

/** Which columns somebody wants of a table, kept for this browser. */
export function useColumnChoice(table: string) {
  return useLocalStorage<ColumnChoice>({
    key: `countersign-columns-${table}`,
    defaultValue: {},
    getInitialValueInEffect: false,
  })
}

type Props<Row> = {
  readonly columns: readonly Column<Row>[]
  readonly choice: ColumnChoice
  readonly onChoice: (choice: ColumnChoice) => void
}

export function ColumnMenu<Row>({ columns, choice, onChoice }: Props<Row>) {
  const { isCompact, setCompact } = useDensity()
  return (
    <Popover position="bottom-end" width={220} trapFocus>
      <Popover.Target>
        <UnstyledButton className={classes.columnButton} aria-label="Columns and row height">
          <ColumnsIcon />
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={classes.columnMenu}>
        {columns
          .filter(({ isFixed }) => !isFixed)
          .map(({ id, header, isHiddenAtFirst = false }) => (
            <Checkbox
              key={id}
              label={header}
              checked={choice[id] ?? !isHiddenAtFirst}
              onChange={(event) => onChoice({ ...choice, [id]: event.currentTarget.checked })}
            />
          ))}
        <Switch
          size="xs"
          label="Compact rows"
          checked={isCompact}
          onChange={(event) => setCompact(event.currentTarget.checked)}
        />
      </Popover.Dropdown>
    </Popover>
  )
}
