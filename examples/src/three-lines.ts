import { guard } from '@countersign/agent'
import { attempt, connection, patience } from './connection.ts'

// Three lines: make a guard, run a tool through it, close it. The rest is what the tool does.
const g = await guard({ ...connection, agentId: 'example-three-lines' })

const refund = (invoice_id: string, amount_cents: number): Promise<string> =>
  g.run(
    { tool: 'issue_refund', args: { invoice_id, amount_cents }, signal: patience() },
    (args) => `refunded ${String(args['amount_cents'])} cents`,
  )

await attempt('a refund within the limit', () => refund('INV-20117', 4_500))
await attempt('a statement that changes the ledger', () =>
  g.run({ tool: 'run_sql', args: { query: "update invoices set status = 'void'" } }, () => 'changed'),
)
// Above the limit a person is asked: decide under Approvals.
await attempt('a refund above the limit', () => refund('INV-20118', 45_000))
await g.close()
