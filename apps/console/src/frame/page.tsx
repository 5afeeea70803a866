import { useMediaQuery } from '@mantine/hooks'
import { Link } from '@tanstack/react-router'
import { createContext, Fragment, type ReactNode, useContext, useEffect } from 'react'
import { createPortal } from 'react-dom'
import classes from './frame.module.css'
import { useTitleCount } from './title-count.ts'

/** The place in the top bar where a page writes its name. */
export const TitleSlot = createContext<HTMLElement | null>(null)

type Crumb = { readonly word: string; readonly to: string }

type Props = {
  readonly title: string
  readonly crumbs?: readonly Crumb[]
  /** Beside the title: a tag, a count. */
  readonly aside?: ReactNode
  /** `narrow` for forms and prose, `full` for tables and panes that scroll by themselves. */
  readonly width?: 'full' | 'padded' | 'narrow'
  readonly children: ReactNode
}

/** What every signed-in page is wrapped in: its name in the top bar and in the tab, its body below. */
export function Page({ title, crumbs = [], aside, width = 'padded', children }: Props) {
  const slot = useContext(TitleSlot)
  const count = useTitleCount()
  useEffect(() => {
    document.title = `${count > 0 ? `(${count}) ` : ''}${title} · Countersign`
  }, [title, count])
  const isNarrow = useMediaQuery('(max-width: 767px)', undefined, { getInitialValueInEffect: false }) ?? false
  // A telephone's top bar has room for the name of a thing alone, not for where it belongs and what it is.
  const isUnder = isNarrow && crumbs.length > 0
  const trail = (
    <>
      {crumbs.length > 0 && (
        <nav aria-label="Breadcrumbs" className={classes.crumbs}>
          {crumbs.map(({ word, to }) => (
            <Fragment key={to}>
              <Link to={to}>{word}</Link>
              <span aria-hidden="true">/</span>
            </Fragment>
          ))}
        </nav>
      )}
    </>
  )
  return (
    <>
      {slot &&
        createPortal(
          <>
            {!isUnder && trail}
            <h1 className={classes.title}>{title}</h1>
            {!isUnder && aside}
          </>,
          slot,
        )}
      {isUnder && (
        <div className={classes.under}>
          {trail}
          {aside}
        </div>
      )}
      <div className={classes.page} data-width={width}>
        {children}
      </div>
    </>
  )
}
