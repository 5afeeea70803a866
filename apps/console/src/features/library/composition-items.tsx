import type { Composition } from '@countersign/wire'
import { Select, Switch } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { type DragEvent, useState } from 'react'
import { CrossIcon, SortDownIcon, SortUpIcon } from '../../ui/icons.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { usePages } from '../../ui/pages.ts'
import ui from '../../ui/ui.module.css'
import classes from './library.module.css'
import { moved } from './order.ts'
import { libraryRulesQuery } from './queries.ts'
import type { CompositionItem } from './use-composition-change.ts'

type Props = {
  readonly composition: Composition
  readonly isReadOnly: boolean
  readonly onChange: (items: readonly CompositionItem[]) => void
}

const asWritten = 'as written'

/** Dragged or moved by its buttons: the order is that of the text. */
export function CompositionItems({ composition: { items }, isReadOnly, onChange }: Props) {
  const [dragged, setDragged] = useState<number>()
  const [over, setOver] = useState<number>()
  const change = (index: number, part: Partial<CompositionItem>): void =>
    onChange(items.map((item, at) => (at === index ? { ...item, ...part } : item)))
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    if (dragged !== undefined && over !== undefined && dragged !== over) onChange(moved(items, dragged, over))
    setDragged(undefined)
    setOver(undefined)
  }
  return (
    <>
      {items.length === 0 && <p className={ui.quiet}>No rule yet. Add one; the text beside this follows.</p>}
      <ol className={classes.order}>
        {items.map((item, index) => (
          <li
            key={item.rule_id}
            draggable={!isReadOnly}
            data-dragged={dragged === index || undefined}
            data-over={
              over === index && dragged !== index
                ? dragged !== undefined && dragged < index
                  ? 'below'
                  : 'above'
                : undefined
            }
            data-off={!item.is_enabled || undefined}
            onDragStart={(event) => {
              event.dataTransfer.effectAllowed = 'move'
              setDragged(index)
            }}
            onDragOver={(event) => {
              event.preventDefault()
              setOver(index)
            }}
            onDragEnd={() => {
              setDragged(undefined)
              setOver(undefined)
            }}
            onDrop={drop}
          >
            <Item
              item={item}
              index={index}
              count={items.length}
              isReadOnly={isReadOnly}
              onPart={(part) => change(index, part)}
              onMove={(to) => onChange(moved(items, index, to))}
              onRemove={() => onChange(items.toSpliced(index, 1))}
            />
          </li>
        ))}
      </ol>
      {!isReadOnly && <AddRule items={items} onAdd={(item) => onChange([...items, item])} />}
    </>
  )
}

type ItemProps = {
  readonly item: CompositionItem
  readonly index: number
  readonly count: number
  readonly isReadOnly: boolean
  readonly onPart: (part: Partial<CompositionItem>) => void
  readonly onMove: (to: number) => void
  readonly onRemove: () => void
}

function Item({ item, index, count, isReadOnly, onPart, onMove, onRemove }: ItemProps) {
  const { rule_id, version, latest_version, mode, is_enabled, name, type } = item
  return (
    <>
      <div className={classes.itemHead}>
        <span className={classes.place}>{index + 1}</span>
        <span className={classes.itemName} title={name}>
          <PageLink to="/library" search={{ rule: rule_id }} className={ui.cutMono}>
            {rule_id}
          </PageLink>
          <span className={ui.faint}>{type}</span>
        </span>
        {!isReadOnly && (
          <span className={classes.moves}>
            <button
              type="button"
              className={ui.iconButton}
              aria-label={`Move ${rule_id} up`}
              disabled={index === 0}
              onClick={() => onMove(index - 1)}
            >
              <SortUpIcon size={14} />
            </button>
            <button
              type="button"
              className={ui.iconButton}
              aria-label={`Move ${rule_id} down`}
              disabled={index === count - 1}
              onClick={() => onMove(index + 1)}
            >
              <SortDownIcon size={14} />
            </button>
            <button type="button" className={ui.iconButton} aria-label={`Take ${rule_id} out`} onClick={onRemove}>
              <CrossIcon size={14} />
            </button>
          </span>
        )}
      </div>
      <div className={classes.itemParts}>
        <Select
          aria-label={`Mode of ${rule_id}`}
          className={classes.modeChoice}
          data={[asWritten, 'enforce', 'observe']}
          value={mode ?? asWritten}
          disabled={isReadOnly}
          onChange={(value) => onPart({ mode: value === 'enforce' || value === 'observe' ? value : null })}
        />
        <Switch
          label="On"
          aria-label={`${rule_id} is on`}
          checked={is_enabled}
          disabled={isReadOnly}
          onChange={(event) => onPart({ is_enabled: event.currentTarget.checked })}
        />
        <span className={ui.quiet}>v{version}</span>
        {version < latest_version && !isReadOnly && (
          <button type="button" className={ui.textButton} onClick={() => onPart({ version: latest_version })}>
            Upgrade to v{latest_version}
          </button>
        )}
      </div>
    </>
  )
}

type AddProps = { readonly items: readonly CompositionItem[]; readonly onAdd: (item: CompositionItem) => void }

function AddRule({ items, onAdd }: AddProps) {
  const [typed, setTyped] = useState('')
  const [sought] = useDebouncedValue(typed.trim(), 150)
  const { rows } = usePages(useInfiniteQuery(libraryRulesQuery(sought === '' ? undefined : sought)))
  const choices = rows.filter(({ rule_id }) => !items.some((item) => item.rule_id === rule_id))
  return (
    <Select
      aria-label="Add a rule"
      placeholder="Add a rule of the library"
      searchable
      data={choices.map(({ rule_id, name }) => ({ value: rule_id, label: `${rule_id}: ${name}` }))}
      // What is sought is sought by the server, in names and descriptions too.
      filter={({ options }) => options}
      searchValue={typed}
      onSearchChange={setTyped}
      value={null}
      nothingFoundMessage="No rule of the library that is not in it already"
      onChange={(value) => {
        const rule = choices.find(({ rule_id }) => rule_id === value)
        if (!rule) return
        setTyped('')
        const { rule_id, version, name, type } = rule
        onAdd({ rule_id, version, latest_version: version, mode: null, is_enabled: true, name, type })
      }}
    />
  )
}
