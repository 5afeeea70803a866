import { Modal } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import { useSession } from '../api/session.ts'
import { SearchIcon } from '../ui/icons.tsx'
import classes from './palette.module.css'
import { type Choice, choicesFor, matching } from './palette-choices.ts'
import { searchQuery } from './palette-search.ts'

type Props = { readonly isOpen: boolean; readonly onClose: () => void }

/** Go to, find by id or name, do: everything from the keyboard. */
export function Palette({ isOpen, onClose }: Props) {
  return (
    <Modal
      opened={isOpen}
      closeOnClickOutside
      onClose={onClose}
      withCloseButton={false}
      padding={0}
      size={600}
      title="Search or go to"
      classNames={{ header: 'cs-hidden', body: classes.bodyOut }}
    >
      {isOpen && <PaletteBody onClose={onClose} />}
    </Modal>
  )
}

function PaletteBody({ onClose }: { readonly onClose: () => void }) {
  const session = useSession()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [active, setActive] = useState(0)
  const [sought] = useDebouncedValue(text.trim(), 120)
  const found = useQuery({ ...searchQuery(sought), enabled: sought.length >= 2, placeholderData: keepPreviousData })
  const listId = useId()
  const list = useRef<HTMLDivElement>(null)
  const hits = sought.length >= 2 && text.trim() !== '' ? (found.data ?? []) : []
  const choices = useMemo(() => [...matching(choicesFor(session.permissions), text), ...hits], [session, text, hits])
  const current = Math.min(active, choices.length - 1)

  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [current])

  const take = (choice: Choice | undefined): void => {
    if (!choice) return
    onClose()
    void navigate({ href: choice.href })
  }
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key]
    if (step !== undefined) {
      event.preventDefault()
      setActive(Math.max(0, Math.min(choices.length - 1, current + step)))
    }
    if (event.key === 'Enter') {
      event.preventDefault()
      take(choices[current])
    }
  }

  return (
    <div>
      <div className={classes.line}>
        <SearchIcon />
        <input
          className={classes.input}
          data-autofocus
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value)
            setActive(0)
          }}
          onKeyDown={onKey}
          placeholder="Go to a page, or find an agent, ruleset, approval or event"
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={choices.length > 0 ? `${listId}-${current}` : undefined}
          aria-label="Search or go to"
          autoComplete="off"
          spellCheck={false}
        />
      </div>
      <div className={classes.list} id={listId} role="listbox" aria-label="Results" ref={list} tabIndex={-1}>
        {choices.map((choice, index) => (
          <div key={choice.id}>
            {choices[index - 1]?.group !== choice.group && (
              <div className={classes.group} aria-hidden="true">
                {choice.group}
              </div>
            )}
            <div
              id={`${listId}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={index === current}
              className={classes.choice}
              onPointerMove={() => setActive(index)}
              onClick={() => take(choice)}
            >
              <span className={choice.isCode ? classes.code : classes.word}>{choice.word}</span>
              {choice.hint && <span className={classes.hint}>{choice.hint}</span>}
              {choice.keys && (
                <span className={classes.keys}>
                  {choice.keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </span>
              )}
            </div>
          </div>
        ))}
        {choices.length === 0 && (
          <p className={classes.nothing}>
            {found.isFetching
              ? 'Searching'
              : found.isError
                ? 'The search failed. Pages can still be reached.'
                : 'Nothing has this name or id.'}
          </p>
        )}
      </div>
      <div className={classes.foot} aria-hidden="true">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Enter</kbd> open
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
      </div>
    </div>
  )
}
