import { Popover, UnstyledButton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { TrailHead } from '../../api/types.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import ui from '../../ui/ui.module.css'
import { checkpointQuery, logKeyQuery } from './queries.ts'
import classes from './trail.module.css'

/** The root of the log, and behind it what to write down: the signed checkpoint and the key. */
export function HeadButton({ head }: { readonly head: TrailHead }) {
  return (
    <Popover width={420} position="bottom-end" withinPortal trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton
          className={ui.hash}
          title="Hash of the tree over every entry; it changes with any byte of any of them"
        >
          <span className={ui.faint}>root</span> <code>{head.root.slice(0, 12)}</code>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Checkpoint head={head} />
      </Popover.Dropdown>
    </Popover>
  )
}

function Checkpoint({ head }: { readonly head: TrailHead }) {
  const checkpoint = useQuery(checkpointQuery)
  const key = useQuery(logKeyQuery.options)
  return (
    <div className={classes.checkpoint}>
      <p>
        Keep the signed checkpoint where the operator of this server cannot reach it. Whatever is changed, cut off or
        forked later is found against it.
      </p>
      {checkpoint.isPending && <Loading rows={3} />}
      {checkpoint.isError && (
        <Failed
          what="The checkpoint could not be read"
          error={checkpoint.error}
          onRetry={() => void checkpoint.refetch()}
        />
      )}
      {checkpoint.data && <Kept title="Signed checkpoint" text={checkpoint.data} what="the checkpoint" />}
      {key.data && <Kept title="Key of the log" text={key.data.trim()} what="the key" />}
      <Kept title="Root, hexadecimal" text={head.root} what="the root hash" />
      {head.at !== null && (
        <p className={classes.quiet}>
          Newest entry counted <Instant at={head.at} form="exact" />
        </p>
      )}
    </div>
  )
}

function Kept({ title, text, what }: { readonly title: string; readonly text: string; readonly what: string }) {
  return (
    <section>
      <h3>
        {title} <CopyButton text={text} what={what} />
      </h3>
      <pre className={classes.kept}>{text}</pre>
    </section>
  )
}
