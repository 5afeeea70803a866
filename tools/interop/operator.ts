import { setTimeout as pause } from 'node:timers/promises'
import type { ApprovalDetail, ApprovalItem, ApprovalsPage } from '@countersign/wire'
import type { Administrator } from './server.ts'

export type Operator = Awaited<ReturnType<typeof signIn>>

/** What a person does in the console, through the same API. */
export async function signIn(url: string, { email, password }: Administrator) {
  const started = await fetch(`${url}/api/v2/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'countersign' },
    body: JSON.stringify({ email, password }),
  })
  if (!started.ok) throw new Error(`Sign-in failed: ${started.status} ${await started.text()}`)
  const cookie = (started.headers.get('set-cookie') ?? '').split(';')[0] ?? ''

  const call = async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        cookie,
        'x-requested-with': 'countersign',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Answer
  }

  const pending = async (): Promise<readonly ApprovalItem[]> =>
    (await call<ApprovalsPage>('GET', '/api/v2/approvals?status=pending')).items

  return {
    newKey: async (rendering: 'auto' | 'ruleset'): Promise<string> => {
      const body = { environment: 'production', label: 'interop', rendering }
      return (await call<{ key: string }>('POST', '/api/v2/keys', body)).key
    },

    /** Uploads and makes live; answers the hash of either rendering. */
    rollOut: async (yaml: string): Promise<ReadonlySet<string>> => {
      const made = await call<{ ruleset: string; version: number; hashes: Record<string, string> }>(
        'POST',
        '/api/v2/rulesets',
        { yaml },
      )
      const body = { version: made.version, environment: 'production', note: 'interop', kind: 'rollout' }
      await call('POST', `/api/v2/rulesets/${made.ruleset}/rollouts`, body)
      return new Set(Object.values(made.hashes))
    },

    publicKey: async (key: string): Promise<string> => {
      const answer = await fetch(`${url}/v1/rulesets/base/current`, { headers: { authorization: `Bearer ${key}` } })
      return ((await answer.json()) as { public_key: string }).public_key
    },

    assign: (agent: string, ruleset: string): Promise<unknown> =>
      call('PUT', '/api/v2/assignments', { agent_ids: [agent], environment: 'production', ruleset }),

    approvals: async (agent: string): Promise<readonly ApprovalItem[]> =>
      (await call<ApprovalsPage>('GET', `/api/v2/approvals?agent=${agent}&limit=200`)).items,

    approval: (id: string): Promise<ApprovalDetail> => call('GET', `/api/v2/approvals/${id}`),

    eventCounts: async (agent: string): Promise<ReadonlyMap<string, number>> => {
      const found = await call<{ items: readonly { verdict: string }[] }>(
        'GET',
        `/api/v2/events?agent=${agent}&limit=200`,
      )
      const counts = new Map<string, number>()
      for (const { verdict } of found.items) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
      return counts
    },

    /** Decides whatever waits, as its argument `service` wishes, until told to stop. */
    keepDeciding: () => {
      let isStopped = false
      const loop = async (): Promise<void> => {
        while (!isStopped) {
          // While the server restarts nobody answers; the next look finds it again.
          for (const { id, args_json } of await pending().catch(() => [])) {
            const wish = (JSON.parse(args_json ?? '{}') as { service?: string }).service
            if (wish === 'grant' || wish === 'deny') {
              const body = { approve: wish === 'grant', reason: 'as it wished' }
              await call('POST', `/api/v2/approvals/${id}/decision`, body).catch(() => undefined)
            }
          }
          await pause(100)
        }
      }
      const done = loop()
      return {
        stop: async (): Promise<void> => {
          isStopped = true
          await done
        },
      }
    },
  }
}
