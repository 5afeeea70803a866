import { guard } from '@countersign/agent'
import { attempt, connection, say } from './connection.ts'

// The rules come from the server; the stages every session goes through are the agent's own.
const file = new URL('workflow.yaml', import.meta.url)
const g = await guard({ ...connection, agentId: 'example-workflow', workflow: { file } })

const refund = (): Promise<string> =>
  g.run({ tool: 'issue_refund', args: { invoice_id: 'INV-20117', amount_cents: 4_500 } }, () => 'refunded')

await attempt('a refund before the policy was read', refund)
await attempt('reading the policy', () =>
  g.run({ tool: 'Read', args: { path: 'refund-policy.md' } }, () => 'Refund within 30 days.'),
)
await attempt('the same refund', refund)
say(`the session stands at: ${String((await g.workflow?.state())?.['active_stage'])}`)
await g.close()
