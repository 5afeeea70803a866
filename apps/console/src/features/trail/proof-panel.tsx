import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { TrailContinuation, TrailEntryWithBytes, TrailProof } from '../../api/types.ts'
import { CheckIcon, DownloadIcon, FailIcon, UnknownIcon } from '../../ui/icons.tsx'
import { Notice } from '../../ui/notice.tsx'
import { logKeyQuery } from './queries.ts'
import classes from './trail.module.css'
import { type Check, type LogReader, type Memory, verifyHere } from './verify-here.ts'

const log: LogReader = {
  key: logKeyQuery.read,
  proof: (number) => api.get<TrailProof>(`/trail/${number}/proof`),
  continuation: (from) => api.get<TrailContinuation>('/trail/continuation', { query: { from } }),
}

/** Kept by the browser, beyond the session: a server that forgot may not make its readers forget. */
const memory: Memory = {
  read: (name) => localStorage.getItem(`countersign-trail-${name}`) ?? undefined,
  write: (name, value) => localStorage.setItem(`countersign-trail-${name}`, value),
}

const icons = { good: CheckIcon, bad: FailIcon, unknown: UnknownIcon } as const

/** Verifies an entry where its reader sits, and gives the proof to be taken elsewhere. */
export function ProofPanel({ entry }: { readonly entry: TrailEntryWithBytes }) {
  const verifying = useMutation({ mutationFn: () => verifyHere(entry, log, memory) })
  const saving = useMutation({
    mutationFn: async () => save(`${entry.number}.tlog-proof`, (await log.proof(entry.number)).proof),
  })
  const checks = verifying.data
  return (
    <div className={classes.proof}>
      <div className={classes.proofActs}>
        <Button size="xs" onClick={() => verifying.mutate()} loading={verifying.isPending}>
          Verify in this browser
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={<DownloadIcon size={14} />}
          onClick={() => saving.mutate()}
          loading={saving.isPending}
        >
          Save the proof
        </Button>
      </div>
      {checks && <Found checks={checks} />}
      {verifying.isError && <Notice tone="care">{verifying.error.message}</Notice>}
      {saving.isError && <Notice tone="care">{saving.error.message}</Notice>}
    </div>
  )
}

function Found({ checks }: { readonly checks: readonly Check[] }) {
  const worst = checks.find(({ found }) => found === 'bad') ?? checks.find(({ found }) => found === 'unknown')
  return (
    <>
      <Notice tone={worst === undefined ? 'good' : worst.found === 'bad' ? 'bad' : 'care'}>
        {worst === undefined
          ? 'This entry is in the log as it stands here. Everything was recomputed in this browser.'
          : worst.found === 'bad'
            ? 'This entry does not verify. Keep what you see, and ask whoever runs this server.'
            : 'It could not be verified to the end.'}
      </Notice>
      <ol className={classes.checks}>
        {checks.map(({ says, found }) => {
          const Icon = icons[found]
          return (
            <li key={says} data-found={found}>
              <Icon size={14} />
              <span>{says}</span>
            </li>
          )
        })}
      </ol>
    </>
  )
}

function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}
