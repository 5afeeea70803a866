import type { AnchorShown } from '@countersign/wire'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './anchors.module.css'
import { anchorMark } from './words.ts'

type Props = { readonly anchor: AnchorShown; readonly onClose: () => void }

const verifyCommand = 'countersign trail anchors verify --key "$(cat key-of-the-log)"'

const spanWords = (first: number, last: number): string =>
  first === last ? countWords(first) : `${countWords(first)} to ${countWords(last)}`

export function AnchorDrawer({ anchor, onClose }: Props) {
  const { sequence, key, sha256, first_number, size, root, made_at, written_at, locked_until, next_attempt_at } = anchor
  return (
    <SideDrawer isOpen onClose={onClose} title={`Anchor ${countWords(sequence)}`} width={600}>
      <div className={classes.drawer}>
        {anchor.error !== null && (
          <Notice tone="care" title={`Attempt ${anchor.attempts} failed`}>
            {anchor.error}
          </Notice>
        )}
        <Facts>
          <Fact name="State">
            <VerdictBadge {...anchorMark(anchor)} />
          </Fact>
          <Fact name="Covers">
            {counted(size, 'entry', 'entries')}, new since the one before: {spanWords(first_number, size - 1)}
          </Fact>
          <Fact name="Made">
            <Instant at={made_at} form="exact" />
          </Fact>
          {written_at !== null && (
            <Fact name="Written">
              <Instant at={written_at} form="exact" />
            </Fact>
          )}
          {next_attempt_at !== null && (
            <Fact name="Next try">
              <Instant at={next_attempt_at} form="exact" />
            </Fact>
          )}
          {locked_until !== null && (
            <Fact name="Locked until">
              <Instant at={locked_until} form="exact" />
            </Fact>
          )}
          <Fact name="Object">
            <code>{key}</code>
            <CopyButton text={key} what="the name of the object" />
          </Fact>
          <Fact name="SHA-256">
            <code>{sha256}</code>
            <CopyButton text={sha256} what="the hash of the object" />
          </Fact>
          <Fact name="Root">
            <code>{root}</code>
            <CopyButton text={root} what="the root" />
          </Fact>
        </Facts>
        <div>
          <h3>Check it yourself</h3>
          <p className={classes.hint}>Reads every anchor from the bucket and holds the whole record against them.</p>
          <div className={classes.snippet}>
            <pre>{verifyCommand}</pre>
            <CopyButton text={verifyCommand} what="the command" />
          </div>
        </div>
      </div>
    </SideDrawer>
  )
}
