import { Button } from '@mantine/core'
import { CopyButton } from '../../ui/copy-button.tsx'
import { DownloadIcon } from '../../ui/icons.tsx'
import { Notice } from '../../ui/notice.tsx'
import classes from './account.module.css'

/** Shown once. Each stands in for a factor that is lost, one time. */
export function BackupCodesOnce({ codes, onDone }: { readonly codes: readonly string[]; readonly onDone: () => void }) {
  const text = `${codes.join('\n')}\n`
  return (
    <div className={classes.stack}>
      <Notice tone="care">
        Keep these where you find them without this device. Each works once, in place of a factor. They are not shown
        again.
      </Notice>
      <ul className={classes.codes} aria-label="Backup codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className={classes.acts}>
        <CopyButton text={text} what="the backup codes" withWord />
        <Button
          variant="default"
          component="a"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
          download="countersign-backup-codes.txt"
          leftSection={<DownloadIcon size={14} />}
        >
          Download
        </Button>
        <Button onClick={onDone}>I have kept them</Button>
      </div>
    </div>
  )
}
