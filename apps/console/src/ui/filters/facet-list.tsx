import type { ReactNode } from 'react'
import { countWords } from '../numbers.ts'
import { type Filter, hasFilter } from './filter-text.ts'
import classes from './filters.module.css'

export type FacetValue = {
  readonly value: string
  /** Null while it is being counted. */
  readonly count: number | null
  /** When there are more than were counted. */
  readonly isAtLeast?: boolean
  readonly shown?: ReactNode
}

type Props = {
  readonly title: string
  readonly name: string
  readonly values: readonly FacetValue[]
  readonly filters: readonly Filter[]
  readonly onToggle: (filter: Filter) => void
  readonly onOnly: (name: string, value: string) => void
  readonly isMonospaced?: boolean
  /** A field that takes one value: there is nothing to add and nothing to leave out. */
  readonly isOneOnly?: boolean
}

/** The values of one field with their counts: a click narrows to it, `only` drops the others, `not` leaves it out. */
export function FacetList({
  title,
  name,
  values,
  filters,
  onToggle,
  onOnly,
  isMonospaced = false,
  isOneOnly = false,
}: Props) {
  const largest = Math.max(1, ...values.map(({ count }) => count ?? 0))
  return (
    <fieldset className={classes.facet}>
      <legend>{title}</legend>
      {values.length === 0 && <p className={classes.facetNone}>none in this range</p>}
      <ul>
        {values.map(({ value, count, isAtLeast = false, shown }) => {
          const included: Filter = { name, value, isExcluded: false }
          const excluded: Filter = { name, value, isExcluded: true }
          const isOn = hasFilter(filters, included)
          const isOut = hasFilter(filters, excluded)
          const words = count === null ? '' : `${countWords(count)}${isAtLeast ? '+' : ''}`
          return (
            <li key={value} className={classes.facetRow} data-on={isOn || undefined} data-out={isOut || undefined}>
              <button
                type="button"
                className={classes.facetMain}
                aria-pressed={isOn}
                onClick={() => onToggle(included)}
              >
                <span className={classes.facetBar} style={{ width: `${((count ?? 0) / largest) * 100}%` }} />
                <span className={isMonospaced ? classes.facetCode : classes.facetWord} title={value}>
                  {shown ?? value}
                </span>
                <span className={classes.facetCount}>{words}</span>
              </button>
              {!isOneOnly && (
                <span className={classes.facetActs}>
                  <button type="button" onClick={() => onOnly(name, value)} aria-label={`Only ${name} ${value}`}>
                    only
                  </button>
                  <button
                    type="button"
                    aria-pressed={isOut}
                    onClick={() => onToggle(excluded)}
                    aria-label={`Not ${name} ${value}`}
                  >
                    not
                  </button>
                </span>
              )}
            </li>
          )
        })}
      </ul>
    </fieldset>
  )
}
