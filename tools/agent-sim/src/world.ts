import type { Chance } from './chance.ts'
import { type Dialect, dialectA2, dialectD } from './dialect.ts'
import type { SimCall } from './sim-agent.ts'

/** One agent of the demo: where it runs, what it speaks, what it does all day. */
export type Resident = {
  readonly agentId: string
  readonly environment: 'production' | 'staging'
  readonly dialect: Dialect
  readonly ruleset?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly isDeaf?: boolean
  readonly principal: Readonly<Record<string, unknown>>
  /** Seconds between two calls. */
  readonly pace: number
  readonly work: readonly (readonly [weight: number, call: (chance: Chance) => SimCall])[]
}

const invoice = (chance: Chance): string => `INV-${chance.between(20_100, 20_990)}`
const cents = (chance: Chance, low: number, high: number): number => chance.between(low, high) * 50

const billing: Resident['work'] = [
  [10, (chance) => ({ tool: 'lookup_invoice', args: { invoice_id: invoice(chance) } })],
  [
    6,
    (chance) => ({
      tool: 'issue_refund',
      args: {
        invoice_id: invoice(chance),
        amount_cents: cents(chance, 4, 190),
        reason: chance.pick(['duplicate charge', 'cancelled order', 'goodwill']),
      },
    }),
  ],
  [
    3,
    (chance) => ({
      tool: 'run_sql',
      args: { query: `select status, total from invoices where id = '${invoice(chance)}'`, database: 'ledger' },
    }),
  ],
  [
    1,
    (chance) => ({
      tool: 'run_sql',
      args: { query: `update invoices set status = 'void' where id = '${invoice(chance)}'`, database: 'ledger' },
    }),
  ],
  [
    2,
    (chance) => ({
      tool: 'send_email',
      args: { to: `customer-${chance.between(100, 999)}@example.com`, template: 'refund-confirmed' },
    }),
  ],
]

const largeRefund: Resident['work'][number] = [
  1,
  (chance) => ({
    tool: 'issue_refund',
    args: {
      invoice_id: invoice(chance),
      amount_cents: cents(chance, 420, 1900),
      reason: 'service outage on the 14th',
      approver_hint: 'billing lead',
    },
  }),
]

const platform: Resident['work'] = [
  [
    10,
    (chance) => ({
      tool: 'kubectl_get',
      args: {
        kind: chance.pick(['pods', 'deployments', 'events']),
        namespace: chance.pick(['shop', 'search', 'payments']),
      },
    }),
  ],
  [
    5,
    (chance) => ({
      tool: 'read_file',
      args: { path: chance.pick(['deploy/values.yaml', 'README.md', 'charts/shop/Chart.yaml']) },
    }),
  ],
  [
    3,
    (chance) => ({
      tool: 'Bash',
      args: { command: chance.pick(['git status', 'kubectl rollout status deploy/shop', 'ls -la charts']) },
    }),
  ],
  [1, () => ({ tool: 'Bash', args: { command: 'rm -rf /var/lib/shop/cache' } })],
  [1, () => ({ tool: 'read_file', args: { path: 'services/shop/.env.production' } })],
  [
    2,
    (chance) => ({
      tool: 'kubectl_set_image',
      args: { name: 'shop', image: chance.pick(['registry.internal/shop:1.42.0', 'registry.internal/shop:latest']) },
    }),
  ],
]

const research: Resident['work'] = [
  [
    8,
    (chance) => ({
      tool: 'http_get',
      args: {
        url: chance.pick([
          'https://arxiv.org/abs/2403.01234',
          'https://en.wikipedia.org/wiki/Merkle_tree',
          'https://docs.python.org/3/library/ssl.html',
        ]),
      },
    }),
  ],
  [
    4,
    (chance) => ({
      tool: 'write_file',
      args: { path: `/srv/research/notes/${chance.between(1, 40)}.md`, content: 'summary of the sources read today' },
    }),
  ],
  [
    1,
    () => ({
      tool: 'write_file',
      args: { path: '/etc/cron.d/research', content: '* * * * * root /srv/research/run.sh' },
    }),
  ],
  [1, () => ({ tool: 'http_get', args: { url: 'http://169.254.169.254/latest/meta-data/iam/' } })],
]

export const residents: readonly Resident[] = [
  {
    agentId: 'billing-agent',
    environment: 'production',
    dialect: dialectA2,
    ruleset: 'payments-guard',
    tags: { team: 'billing' },
    principal: { user_id: 'service-billing', role: 'billing' },
    pace: 2.2,
    work: [...billing, largeRefund],
  },
  {
    agentId: 'refund-agent-eu',
    environment: 'production',
    dialect: dialectD,
    tags: { team: 'billing', region: 'eu' },
    principal: { service_id: 'refunds-eu', role: 'billing' },
    pace: 3.1,
    work: billing,
  },
  {
    agentId: 'deploy-agent',
    environment: 'production',
    dialect: dialectD,
    ruleset: 'platform-baseline',
    tags: { team: 'platform' },
    principal: { user_id: 'release-train', role: 'deployer', ticket_ref: 'CHG-2291' },
    pace: 2.7,
    work: [
      ...platform,
      [
        1,
        (chance) => ({
          tool: 'kubectl_delete',
          args: {
            kind: 'deployment',
            name: chance.pick(['shop-canary', 'search-old', 'payments-v1']),
            namespace: 'shop',
          },
        }),
      ],
    ],
  },
  {
    agentId: 'on-call-agent',
    environment: 'production',
    dialect: dialectA2,
    ruleset: 'platform-baseline',
    tags: { team: 'platform' },
    principal: { user_id: 'pager', role: 'operator' },
    pace: 4.5,
    work: [
      ...platform,
      [
        1,
        (chance) => ({
          tool: 'kubectl_scale',
          args: { kind: 'deployment', name: chance.pick(['shop', 'search']), replicas: chance.between(0, 1) },
        }),
      ],
    ],
  },
  {
    agentId: 'reconcile-agent',
    environment: 'production',
    dialect: dialectA2,
    ruleset: 'payments-guard',
    isDeaf: true,
    tags: { team: 'billing' },
    principal: { service_id: 'reconcile', role: 'billing' },
    pace: 5.5,
    work: billing,
  },
  {
    agentId: 'research-agent',
    environment: 'staging',
    dialect: dialectD,
    ruleset: 'research-sandbox',
    tags: { team: 'research' },
    principal: { user_id: 'research', role: 'reader' },
    pace: 2.4,
    work: research,
  },
  ...[1, 2, 3].map(
    (number): Resident => ({
      agentId: `build-agent-${number}`,
      environment: 'staging',
      dialect: number === 2 ? dialectA2 : dialectD,
      tags: { team: 'platform', pool: 'build' },
      principal: { service_id: `build-${number}`, role: 'builder' },
      pace: 3 + number,
      work: platform,
    }),
  ),
]

/** A call as this agent would make it now. */
export function nextCall({ work }: Resident, chance: Chance): SimCall {
  const total = work.reduce((sum, [weight]) => sum + weight, 0)
  let at = chance.next() * total
  for (const [weight, call] of work) {
    at -= weight
    if (at < 0) return call(chance)
  }
  throw new Error('an agent without work')
}
