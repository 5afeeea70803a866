import { useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { Arguments } from '../../ui/arguments/arguments.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { durationWords } from '../../ui/instants.ts'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { Why } from '../../ui/why.tsx'
import classes from './event-drawer.module.css'
import { eventQuery } from './queries.ts'
import { reasonsOf } from './reasons.tsx'
import { Heading, Story } from './story.tsx'
import type { ShownDetail } from './types.ts'
import { badgeOf, flagSentence } from './words.ts'

type Props = {
  readonly id: string
  readonly onClose: () => void
  readonly onOpen: (id: string) => void
  /** One row up or down in the list, where there is one. */
  readonly onMove: (step: 1 | -1) => void
  readonly onFilter: (text: string) => void
}

/** One event with the whole story of its call. `j` and `k` go on to the next without closing it. */
export function EventDrawer({ id, onClose, onOpen, onMove, onFilter }: Props) {
  const { data, error, isError, refetch } = useQuery(eventQuery(id))
  const onKey = (event: KeyboardEvent): void => {
    const isWriting = event.target instanceof HTMLElement && event.target.closest('input, textarea') !== null
    if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'j') onMove(1)
    else if (event.key === 'k') onMove(-1)
  }
  return (
    // The drawer is drawn elsewhere in the document, but its keys come up here.
    <div onKeyDown={onKey}>
      <SideDrawer
        isOpen
        onClose={onClose}
        width={660}
        title={
          <span className={classes.title}>
            Event {data && <VerdictBadge {...badgeOf(data)} />}
            <span className={classes.keys} aria-hidden="true">
              <kbd>j</kbd> <kbd>k</kbd> next, previous
            </span>
          </span>
        }
      >
        {!data && !isError && <Loading rows={6} />}
        {isError && !data && (
          <Failed what="This event could not be read" error={error} onRetry={() => void refetch()} />
        )}
        {data && <Detail key={data.id} detail={data} onOpen={onOpen} onFilter={onFilter} />}
      </SideDrawer>
    </div>
  )
}

type DetailProps = Pick<Props, 'onOpen' | 'onFilter'> & { readonly detail: ShownDetail }

function Detail({ detail, onOpen, onFilter }: DetailProps) {
  const [isWhole, setWhole] = useState(false)
  const why = reasonsOf(detail)
  return (
    <div className={classes.detail}>
      <Heading detail={detail} />
      <Part title="Story">
        <Story detail={detail} onOpen={onOpen} />
      </Part>
      <Part title="Arguments">
        {detail.argsJson === 'null' ? (
          <p className={classes.quiet}>The agent sent no arguments.</p>
        ) : (
          <Arguments json={detail.argsJson} />
        )}
        {detail.flags.map((flag) => (
          <p key={flag} className={classes.note}>
            {flagSentence(flag)}
          </p>
        ))}
      </Part>
      <Part title="Why">
        <Why reasons={why.reasons} source={why.source} />
        <p>
          <PageLink to="/rehearse" search={{ event: detail.id, ruleset: detail.ruleset ?? undefined }}>
            Try this call on a ruleset
          </PageLink>
        </p>
      </Part>
      <Part title="Facts">
        <EventFacts detail={detail} onFilter={onFilter} />
        <p className={classes.note}>
          An event is what the agent reported{detail.key_prefix !== null && ', let in by its key'}; it is not proof.
          What this server saw itself is in the trail.
        </p>
      </Part>
      <Part title="As it came">
        {isWhole ? (
          <Arguments json={detail.payloadJson} label="Event" />
        ) : (
          <button type="button" className={ui.textButton} onClick={() => setWhole(true)}>
            Show the whole event
          </button>
        )}
      </Part>
    </div>
  )
}

function EventFacts({ detail, onFilter }: Pick<DetailProps, 'detail' | 'onFilter'>) {
  const { at, received_at, call_id, session_id, revision, ruleset, mode, side_effect, duration_ms, key_prefix } = detail
  return (
    <Facts>
      <Fact name="When">
        <Instant at={at} form="exact" /> <span className={classes.quiet}>by the agent’s clock</span>
      </Fact>
      <Fact name="Arrived">
        <Instant at={received_at} form="exact" />
      </Fact>
      <Fact name="Call">
        <code>{call_id}</code>
        <CopyButton text={call_id} what="the call id" />
      </Fact>
      {session_id !== null && (
        <Fact name="Session">
          <code>{session_id}</code>
          <CopyButton text={session_id} what="the session id" />
          <button type="button" className={ui.textButton} onClick={() => onFilter(session_id)}>
            All of it
          </button>
        </Fact>
      )}
      {revision !== null && (
        <Fact name="Revision">
          <RevisionChip hash={revision} />
          {ruleset !== null && (
            <PageLink to={`/rulesets/${encodeURIComponent(ruleset)}`} className={classes.code}>
              {ruleset}
            </PageLink>
          )}
        </Fact>
      )}
      <Fact name="Mode">{mode}</Fact>
      {side_effect !== null && <Fact name="Side effect">{side_effect}</Fact>}
      {duration_ms !== null && <Fact name="Took">{durationWords(duration_ms)}</Fact>}
      {principalWords(detail.principal) !== '' && <Fact name="On behalf of">{principalWords(detail.principal)}</Fact>}
      {key_prefix !== null && (
        <Fact name="Key">
          <code>{key_prefix}…</code>
        </Fact>
      )}
      <Fact name="Event">
        <code>{detail.id}</code>
        <CopyButton text={detail.id} what="the event id" />
      </Fact>
    </Facts>
  )
}

/** `user pager, role operator`: as the agent says, in its order. */
function principalWords(principal: unknown): string {
  if (typeof principal !== 'object' || principal === null) return ''
  return Object.entries(principal)
    .filter(([, value]) => typeof value === 'string' && value !== '')
    .map(([name, value]) => `${name.replace(/_id$|_ref$/, '')} ${String(value)}`)
    .join(', ')
}

function Part({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className={classes.part}>
      <h3>{title}</h3>
      {children}
    </section>
  )
}
