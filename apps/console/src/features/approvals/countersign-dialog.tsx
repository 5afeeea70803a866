import { Button, Modal } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useSession } from '../../api/session.ts'
import type { ApprovalDetail, CountersignatureChallenge } from '../../api/types.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { Plain } from '../../ui/plain/plain.tsx'
import { type AssertionOptions, signWithPasskey } from '../account/passkey.ts'
import classes from './countersign.module.css'
import type { Decision } from './use-decide.ts'

type Props = {
  readonly approval: ApprovalDetail
  /** What is about to be decided; nothing while the dialog is closed. */
  readonly decision: Omit<Decision, 'countersignature'> | null
  readonly onSigned: (decision: Decision) => void
  readonly onClose: () => void
}

/** Shows what the passkey is to sign, in words and as data, then has it sign exactly that. */
export function CountersignDialog({ approval, decision, onSigned, onClose }: Props) {
  return (
    <Modal
      opened={decision !== null}
      onClose={onClose}
      title={decision?.approve ? 'Countersign: approve' : 'Countersign: deny'}
      size={600}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {decision && <Body approval={approval} decision={decision} onSigned={onSigned} onClose={onClose} />}
    </Modal>
  )
}

function Body({
  approval,
  decision,
  onSigned,
  onClose,
}: Props & { readonly decision: Omit<Decision, 'countersignature'> }) {
  const { person } = useSession()
  const { id, approve, reason } = decision
  const asked = useQuery({
    queryKey: ['countersignature', id, approve, reason ?? null],
    queryFn: () =>
      api.post<CountersignatureChallenge>(`/approvals/${encodeURIComponent(id)}/countersignature`, {
        approve,
        ...(reason !== undefined && { reason }),
      }),
    // What is signed is good for five minutes and for one answer.
    staleTime: 0,
    gcTime: 0,
    retry: false,
  })
  const sign = useMutation({
    mutationFn: async ({ challenge_id, options }: CountersignatureChallenge) => {
      // The server's options are those of the WebAuthn specification, in JSON.
      const credential = await signWithPasskey(options as unknown as AssertionOptions)
      return { challenge_id, credential: credential as unknown as Readonly<Record<string, unknown>> }
    },
    onSuccess: (countersignature) => onSigned({ ...decision, countersignature }),
  })
  if (asked.isError)
    return (
      <div className={classes.stack}>
        <Failed what="There is nothing to sign" error={asked.error} onRetry={() => void asked.refetch()} />
        <Link to="/account" search={{ add: true }}>
          Add a passkey under Account & security
        </Link>
      </div>
    )
  if (!asked.data) return <Loading rows={4} />
  const data = asked.data
  return (
    <div className={classes.stack}>
      <p className={classes.sentence}>
        As <strong>{person.email}</strong> you {approve ? 'approve' : 'deny'} the call{' '}
        <code>
          <Plain text={approval.tool} />
        </code>{' '}
        of <code>{approval.agent_id}</code> in <EnvironmentTag name={approval.environment} />
        {reason === undefined ? ', without a reason.' : ':'}
      </p>
      {reason !== undefined && <blockquote className={classes.reason}>{reason}</blockquote>}
      <Facts>
        <Fact name="Digest of the call">
          <code className={classes.digest}>{approval.digest}</code>
        </Fact>
      </Facts>
      <details>
        <summary>What is signed, as data</summary>
        <div className={classes.data}>
          <pre tabIndex={0} aria-label="What is signed">
            {pretty(data.content)}
          </pre>
          <CopyButton text={data.content} what="the exact content" />
        </div>
        <p className={classes.note}>
          The passkey signs the SHA-256 of exactly this. It is kept in the trail, reason included, and anybody can
          verify it without this server.
        </p>
      </details>
      {sign.isError && <Notice tone="bad">{wordsFor(sign.error)}</Notice>}
      <div className={classes.acts}>
        <Button variant="default" onClick={onClose}>
          Not yet
        </Button>
        <Button data-autofocus loading={sign.isPending} onClick={() => sign.mutate(data)}>
          {approve ? 'Sign and approve' : 'Sign and deny'}
        </Button>
      </div>
    </div>
  )
}

/** For reading: what was asked is a text inside the content, and shown as what it says. */
function pretty(content: string): string {
  const value: unknown = JSON.parse(content)
  const { approval, ...rest } = { approval: '', ...(value as Record<string, unknown>) }
  return JSON.stringify({ approval: JSON.parse(String(approval)) as unknown, ...rest }, null, 2)
}
