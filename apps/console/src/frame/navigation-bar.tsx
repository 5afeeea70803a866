import { Tooltip, UnstyledButton } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { Session } from '../api/types.ts'
import { CollapseIcon } from '../ui/icons.tsx'
import classes from './frame.module.css'
import { Mark } from './mark.tsx'
import { type Destination, visibleTo } from './navigation.ts'

type Props = {
  readonly session: Session
  readonly isFolded: boolean
  readonly pending: number
  readonly onFold?: () => void
}

export function Navigation({ session, isFolded, pending, onFold }: Props) {
  return (
    <nav className={classes.navigation} aria-label="Main" data-folded={isFolded || undefined}>
      <Link to="/" className={classes.brand} aria-label="Countersign, overview">
        <Mark />
        {!isFolded && <span>Countersign</span>}
      </Link>
      <div className={classes.groups}>
        {visibleTo(session.permissions).map(({ word, destinations }) => (
          <section key={word} aria-label={word}>
            {isFolded ? <hr className={classes.groupLine} /> : <h2 className={classes.group}>{word}</h2>}
            <ul className={classes.list}>
              {destinations.map((destination) => (
                <li key={destination.to}>
                  <Entry
                    destination={destination}
                    isFolded={isFolded}
                    count={destination.to === '/approvals' ? pending : 0}
                  />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
      <div className={classes.foot}>
        {!isFolded && <span className={classes.version}>{session.server.version}</span>}
        {onFold && (
          <Tooltip label={isFolded ? 'Show the words' : 'Icons only'} position="right">
            <UnstyledButton
              className={classes.iconButton}
              onClick={onFold}
              aria-label={isFolded ? 'Unfold the navigation' : 'Fold the navigation'}
            >
              <CollapseIcon />
            </UnstyledButton>
          </Tooltip>
        )}
      </div>
    </nav>
  )
}

type EntryProps = { readonly destination: Destination; readonly isFolded: boolean; readonly count: number }

function Entry({ destination, isFolded, count }: EntryProps) {
  const { to, word, icon: Icon } = destination
  const counted = count > 0 ? `, ${count} waiting` : ''
  return (
    <Tooltip label={`${word}${counted}`} position="right" disabled={!isFolded}>
      <Link
        to={to}
        className={classes.entry}
        activeOptions={{ exact: to === '/', includeSearch: false }}
        aria-label={isFolded ? `${word}${counted}` : undefined}
      >
        <Icon />
        {!isFolded && <span className={classes.entryWord}>{word}</span>}
        {count > 0 &&
          (isFolded ? (
            <span className={classes.countDot} />
          ) : (
            <span className={classes.count}>
              {count}
              <span className="cs-hidden"> waiting</span>
            </span>
          ))}
      </Link>
    </Tooltip>
  )
}
