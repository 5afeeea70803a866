import { Tabs } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'
import classes from './page-tabs.module.css'

type Part<Name extends string> = { readonly name: Name; readonly word: ReactNode; readonly body: ReactNode }

type Props<Name extends string> = {
  readonly label: string
  readonly parts: readonly Part<Name>[]
  readonly value: Name
  readonly onChange: (name: Name) => void
  /** What can be done whichever part is open. */
  readonly acts?: ReactNode
}

/** The parts of a page, one at a time; the address says which. */
export function PageTabs<Name extends string>({ label, parts, value, onChange, acts }: Props<Name>) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // On a telephone the open tab may lie outside of what is seen of the row.
    const tab = list.current?.querySelector(`[data-name="${value}"]`)
    tab?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [value])
  return (
    <Tabs
      value={value}
      onChange={(chosen) => {
        const part = parts.find(({ name }) => name === chosen)
        if (part) onChange(part.name)
      }}
      keepMounted={false}
      className={classes.tabs}
    >
      <div className={classes.bar}>
        <Tabs.List ref={list} aria-label={label} className={classes.list}>
          {parts.map(({ name, word }) => (
            <Tabs.Tab key={name} value={name} data-name={name}>
              {word}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {acts}
      </div>
      {parts.map(({ name, body }) => (
        <Tabs.Panel key={name} value={name} className={classes.panel}>
          {body}
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}
