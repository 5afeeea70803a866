import type { AnchorState } from '@countersign/wire'
import type { ReactNode } from 'react'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './anchors.module.css'
import { healthMark, intervalWords } from './words.ts'

type Props = {
  readonly state: AnchorState
  /** What can be done about it, where it is on. */
  readonly act: ReactNode
}

/** What is signed, and how keeping it elsewhere goes. */
export function AnchoringSummary({ state: { checkpoint, anchoring }, act }: Props) {
  return (
    <div className={classes.summary}>
      {anchoring.is_on && anchoring.error !== null && (
        <Notice tone={anchoring.is_healthy ? 'care' : 'bad'} title="The newest checkpoint is not anchored">
          {anchoring.error} It is tried again by itself, and the next anchor covers what is missing.
        </Notice>
      )}
      <div className={classes.columns}>
        <section aria-label="Newest checkpoint">
          <h2>Newest checkpoint</h2>
          {checkpoint ? (
            <Facts>
              <Fact name="Covers">{counted(checkpoint.size, 'entry', 'entries')}</Fact>
              <Fact name="Signed">
                <Instant at={checkpoint.at} />
              </Fact>
              <Fact name="Root">
                <code className={ui.cutMono}>{checkpoint.root.slice(0, 24)}…</code>
                <CopyButton text={checkpoint.root} what="the root" />
              </Fact>
              <Fact name="Key">
                <code className={ui.cutMono} title={checkpoint.key}>
                  {checkpoint.key.slice(0, 44)}…
                </code>
                <CopyButton text={checkpoint.key} what="the key" />
              </Fact>
              <Fact name="Note">
                <CopyButton text={checkpoint.note} what="the signed checkpoint" withWord />
              </Fact>
            </Facts>
          ) : (
            <p className={ui.quiet}>
              Nothing is signed yet; the first checkpoint follows the first entry within a second.
            </p>
          )}
        </section>
        {anchoring.is_on && (
          <section aria-label="Anchoring">
            <div className={classes.head}>
              <h2>Anchoring</h2>
              {act}
            </div>
            <Facts>
              <Fact name="Health">
                <VerdictBadge {...healthMark(anchoring)} />
              </Fact>
              <Fact name="Bucket">
                <code>{anchoring.bucket}</code>
              </Fact>
              <Fact name="Chain">
                <code>{anchoring.chain_id}</code>
              </Fact>
              <Fact name="Written">
                {intervalWords(anchoring.interval_minutes)}, locked for {counted(anchoring.retention_days, 'day')}
              </Fact>
              <Fact name="Not yet in">{counted(anchoring.unanchored, 'entry', 'entries')}</Fact>
            </Facts>
          </section>
        )}
      </div>
    </div>
  )
}
