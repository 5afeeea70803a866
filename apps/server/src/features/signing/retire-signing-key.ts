import type { Bus } from '../../kernel/bus.ts'
import { equalInConstantTime } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { followersOf } from './signing-key-followers.ts'
import { findSigningKey, lockSigningKeys, retireKeyRow } from './signing-keys-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
}

/** How many that would freeze are named in the sentence; the console lists the rest. */
const namedMax = 5

/** Ends a key's signing. Agents that pinned it would keep their last rules for ever, so whoever asks must have seen them. */
export function retireSigningKey({ db, clock, bus, recordAct }: Needs) {
  return (who: Person, id: string, confirm: string | undefined, facts: RequestFacts): Promise<void> =>
    db.inTx(async (tx) => {
      await lockSigningKeys(tx, who.tenant, 'alone')
      const key = await findSigningKey(tx, who.tenant, id)
      if (!key) throw notFound('signing key')
      if (key.retiredAt) throw new Problem(problems.conflict, 'This signing key is already retired.')
      if (key.isCurrent) {
        throw new Problem(problems.conflict, 'This is the current signing key. Rotate first; then it can be retired.')
      }
      const { keys, agents } = await followersOf(tx, who.tenant, id)
      const word = key.publicKey.slice(0, 8)
      if (keys.length > 0 && (confirm === undefined || !equalInConstantTime(confirm, word))) {
        throw new Problem(
          problems.confirmationNeeded,
          `Agents that verify signatures with this key would keep the rules they have and take no rollout any more: ${named(keys, agents)}. Move these agent keys to another signing key first, or confirm with ${word}.`,
          { facts: { confirm: word, keys: keys.map(({ id: key_id, label }) => ({ id: key_id, label })), agents } },
        )
      }
      await retireKeyRow(tx, who.tenant, id, who.id, clock.now())
      await recordAct(tx, {
        ...actorOf(who),
        tenant: who.tenant,
        act: 'signing_key.retired',
        subject: { kind: 'signing_key', id },
        request: facts,
        details: {
          public_key: key.publicKey,
          frozen_keys: keys.map((one) => one.id),
          frozen_agents: agents.map((agent) => `${agent.environment}/${agent.agentId}`),
        },
      })
      await bus.announce(tx, { topic: 'signing_key.retired', tenant: who.tenant, body: { signing_key_id: id } })
    })
}

function named(keys: readonly { readonly label: string }[], agents: readonly { readonly agentId: string }[]): string {
  const list = (words: readonly string[], noun: string): string => {
    const more = words.length > namedMax ? ` and ${words.length - namedMax} more` : ''
    return `${noun} ${words.slice(0, namedMax).join(', ')}${more}`
  }
  const parts = [
    list(
      keys.map(({ label }) => label),
      keys.length === 1 ? 'agent key' : 'agent keys',
    ),
  ]
  if (agents.length > 0) {
    parts.push(
      list(
        agents.map(({ agentId }) => agentId),
        agents.length === 1 ? 'agent' : 'agents',
      ),
    )
  }
  return parts.join('; ')
}
