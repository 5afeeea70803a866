import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react'
import { CrossIcon, SearchIcon } from '../icons.tsx'
import { type Filters, readFilters, toggleFilter, writeFilter } from './filter-text.ts'
import classes from './filters.module.css'

export type FilterField = {
  readonly name: string
  /** What it narrows to, as shown beside the name: `agent  who called`. */
  readonly hint: string
  /** Values that begin with what was typed; the page knows them from its facets. */
  readonly values?: readonly string[]
}

type Props = {
  readonly label: string
  readonly fields: readonly FilterField[]
  readonly value: Filters
  readonly onChange: (value: Filters) => void
  readonly placeholder?: string
}

/** Conditions as tokens and plain words in one line. `/` goes there, arrows choose a completion, Backspace takes the last token. */
export function FilterBar({ label, fields, value, onChange, placeholder }: Props) {
  const [typed, setTyped] = useState(value.text)
  const [isOpen, setOpen] = useState(false)
  const [active, setActive] = useState(-1)
  const input = useRef<HTMLInputElement>(null)
  const listId = useId()
  const names = fields.map(({ name }) => name)
  const offered = isOpen ? completions(typed, fields) : []

  useEffect(() => setTyped(value.text), [value.text])
  useEffect(() => {
    const onSlash = (event: globalThis.KeyboardEvent): void => {
      const isWriting =
        event.target instanceof HTMLElement &&
        event.target.closest('input, textarea, [contenteditable], [role="dialog"]')
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isWriting) return
      event.preventDefault()
      input.current?.focus()
    }
    window.addEventListener('keydown', onSlash)
    return () => window.removeEventListener('keydown', onSlash)
  }, [])

  const commit = (text: string): void => {
    const read = readFilters(text, names)
    const added = read.filters.filter(
      (filter) => !value.filters.some((known) => writeFilter(known) === writeFilter(filter)),
    )
    const filters = added.reduce(toggleFilter, value.filters)
    setTyped(read.text)
    setActive(-1)
    setOpen(false)
    onChange({ filters, text: read.text })
  }
  const take = (completion: Completion): void => {
    if (completion.isWhole) return commit(completion.text)
    setTyped(completion.text)
    setActive(-1)
    input.current?.focus()
  }
  const onKey = (event: KeyboardEvent): void => {
    const chosen = offered[active]
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault()
      setOpen(true)
      const step = event.key === 'ArrowDown' ? 1 : -1
      setActive(Math.max(-1, Math.min(offered.length - 1, active + step)))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      if (chosen) take(chosen)
      else commit(typed)
    } else if (event.key === 'Tab' && chosen && !event.shiftKey) {
      event.preventDefault()
      take(chosen)
    } else if (event.key === 'Escape') {
      if (isOpen) setOpen(false)
      else input.current?.blur()
    } else if (event.key === 'Backspace' && typed === '' && value.filters.length > 0) {
      onChange({ ...value, filters: value.filters.slice(0, -1) })
    }
  }
  return (
    <div className={classes.bar} role="search">
      <SearchIcon size={14} />
      {value.filters.map((filter) => (
        <span key={writeFilter(filter)} className={classes.token} data-excluded={filter.isExcluded || undefined}>
          <span className={classes.tokenName}>
            {filter.isExcluded && 'not '}
            {filter.name}
          </span>
          <span className={classes.tokenValue}>{filter.value}</span>
          <button
            type="button"
            aria-label={`Remove ${writeFilter(filter)}`}
            onClick={() => onChange({ ...value, filters: toggleFilter(value.filters, filter) })}
          >
            <CrossIcon size={11} />
          </button>
        </span>
      ))}
      <input
        ref={input}
        className={classes.input}
        value={typed}
        placeholder={value.filters.length === 0 ? placeholder : undefined}
        aria-label={label}
        role="combobox"
        aria-expanded={offered.length > 0}
        aria-controls={listId}
        aria-activedescendant={active >= 0 ? `${listId}-${active}` : undefined}
        autoComplete="off"
        spellCheck={false}
        onFocus={() => setOpen(true)}
        onBlur={() => {
          setOpen(false)
          if (typed !== value.text) commit(typed)
        }}
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setOpen(true)
          setActive(-1)
        }}
        onKeyDown={onKey}
      />
      {(value.filters.length > 0 || value.text !== '') && (
        <button type="button" className={classes.clear} onClick={() => onChange({ filters: [], text: '' })}>
          Clear
        </button>
      )}
      <div
        className={classes.completions}
        id={listId}
        role="listbox"
        aria-label="Completions"
        hidden={offered.length === 0}
      >
        {offered.map((completion, index) => (
          <div
            key={completion.text}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === active}
            className={classes.completion}
            onPointerDown={(event) => {
              event.preventDefault()
              take(completion)
            }}
          >
            <code>{completion.word}</code>
            <span>{completion.hint}</span>
          </div>
        ))}
      </div>
    </div>
  )
}

type Completion = { readonly word: string; readonly hint: string; readonly text: string; readonly isWhole: boolean }

/** What could stand where the last word is: the names, or after a colon the values of that name. */
function completions(typed: string, fields: readonly FilterField[]): readonly Completion[] {
  const before = typed.slice(0, typed.length - lastWord(typed).length)
  const word = lastWord(typed)
  const minus = word.startsWith('-') ? '-' : ''
  const [name = '', ...rest] = word.slice(minus.length).split(':')
  if (rest.length === 0) {
    return fields
      .filter((field) => field.name.startsWith(name))
      .map((field) => ({
        word: `${minus}${field.name}:`,
        hint: field.hint,
        text: `${before}${minus}${field.name}:`,
        isWhole: false,
      }))
  }
  const begun = rest.join(':').replaceAll('"', '').toLowerCase()
  const field = fields.find((candidate) => candidate.name === name)
  return (field?.values ?? [])
    .filter((value) => value.toLowerCase().includes(begun))
    .slice(0, 8)
    .map((value) => {
      const token = writeFilter({ name, value, isExcluded: minus !== '' })
      return { word: value, hint: '', text: `${before}${token}`, isWhole: true }
    })
}

function lastWord(typed: string): string {
  return /\S*$/.exec(typed)?.[0] ?? ''
}
