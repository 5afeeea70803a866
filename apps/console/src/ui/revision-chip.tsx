import { CopyButton } from './copy-button.tsx'
import classes from './ui.module.css'

type Props = {
  /** The full hash; what is shown is its beginning. */
  readonly hash: string
  readonly version?: number | string
  readonly href?: string
}

export function RevisionChip({ hash, version, href }: Props) {
  const short = hash.replace(/^sha256:/, '').slice(0, 8)
  const words = version === undefined ? short : `v${version}`
  return (
    <span className={classes.revision}>
      {href === undefined ? (
        <code title={hash}>{words}</code>
      ) : (
        <a href={href} title={hash}>
          <code>{words}</code>
        </a>
      )}
      {version !== undefined && <code className={classes.faint}>{short}</code>}
      <CopyButton text={hash} what="the whole hash" />
    </span>
  )
}
