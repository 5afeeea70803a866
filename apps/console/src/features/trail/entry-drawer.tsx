import { useQuery } from '@tanstack/react-query'
import type { TrailEntryWithBytes } from '../../api/types.ts'
import { actWords } from '../../ui/acts.ts'
import { Arguments } from '../../ui/arguments/arguments.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { countWords } from '../../ui/numbers.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { subjectWords } from '../../ui/subjects.ts'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { EraseFacts } from './erase-facts.tsx'
import { ProofPanel } from './proof-panel.tsx'
import { trailEntryQuery } from './queries.ts'
import classes from './trail.module.css'
import { useNames } from './use-names.ts'
import { actorOf, outcomeOf } from './words.ts'

type Props = { readonly number: number; readonly onClose: () => void }

export function EntryDrawer({ number, onClose }: Props) {
  const { data, error, isError, refetch } = useQuery(trailEntryQuery(number))
  return (
    <SideDrawer isOpen onClose={onClose} title={`Entry ${countWords(number)}`} width={600}>
      {!data && !isError && <Loading rows={5} />}
      {isError && !data && <Failed what="This entry could not be read" error={error} onRetry={() => void refetch()} />}
      {data && <Entry entry={data} />}
    </SideDrawer>
  )
}

const macWords = {
  good: 'right',
  wrong: 'wrong: not made from these bytes',
  unknown_key: 'made with a secret this server does not have',
} as const

function Entry({ entry }: { readonly entry: TrailEntryWithBytes }) {
  const { at, act, outcome, actor, subject, request_id, personal, details, is_erased } = entry
  const odd = outcomeOf(outcome, details)
  const names = useNames()
  const request = personal.request ?? {}
  return (
    <div className={classes.entry}>
      <p className={classes.sentence}>
        <PrincipalChip who={actorOf(entry, names)} /> {actWords(act, details)}{' '}
        {subject.kind !== 'session' && subjectWords(subject, details, names)} {odd && <VerdictBadge {...odd} />}
      </p>
      <Facts>
        <Fact name="When">
          <Instant at={at} form="exact" />
        </Fact>
        <Fact name="Act">
          <code>{act}</code>
        </Fact>
        <Fact name="Who">
          <code>
            {actor.kind} {actor.id}
          </code>
          {actor.credential !== undefined && <span className={classes.quiet}>by {actor.credential}</span>}
        </Fact>
        <Fact name="To what">
          <code>
            {subject.kind} {subject.id}
          </code>
          <CopyButton text={subject.id} what="its id" />
        </Fact>
        {typeof request['address'] === 'string' && <Fact name="From">{request['address']}</Fact>}
        {typeof request['user_agent'] === 'string' && (
          <Fact name="With">
            <span className={classes.quiet}>{request['user_agent']}</span>
          </Fact>
        )}
        {request_id !== null && (
          <Fact name="Request">
            <code>{request_id}</code>
            <CopyButton text={request_id} what="the request id" />
          </Fact>
        )}
      </Facts>
      <EraseFacts entry={entry} />
      {is_erased && (
        <p className={classes.quiet}>
          Personal facts were recorded here and have been erased since. The entry itself is unchanged and still
          verifies.
        </p>
      )}
      {Object.keys(details).length > 0 && (
        <section>
          <h3>Details</h3>
          <Arguments json={JSON.stringify(details)} label="Details" />
        </section>
      )}
      <section>
        <h3>Evidence</h3>
        <Facts>
          <Fact name="Leaf hash">
            <code>{entry.leaf_hash}</code>
            <CopyButton text={entry.leaf_hash} what="the leaf hash" />
          </Fact>
          <Fact name="Bytes">
            <span className={classes.quiet}>RFC 8785 text, as it was hashed</span>
            <CopyButton text={entry.canonical} what="the canonical text" />
          </Fact>
          {entry.mac && (
            <Fact name="Keyed MAC">
              <span>{macWords[entry.mac.found]}</span>
              <span className={classes.quiet}>
                key <code>{entry.mac.key}</code>
              </span>
              <CopyButton text={entry.mac.value} what="the MAC" />
            </Fact>
          )}
        </Facts>
        <ProofPanel entry={entry} />
        <div className={classes.command}>
          <code>countersign trail prove {entry.number}</code>
          <CopyButton text={`countersign trail prove ${entry.number}`} what="the command" />
        </div>
        <p className={classes.quiet}>
          writes the same proof on the server's machine; <code>countersign trail verify</code> and{' '}
          <code>docs/verify</code> check it anywhere.
        </p>
      </section>
    </div>
  )
}
