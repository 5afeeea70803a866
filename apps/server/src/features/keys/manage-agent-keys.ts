import type { Bus } from '../../kernel/bus.ts'
import { type Keyring, randomToken } from '../../kernel/crypto.ts'
import { type Db, sqlState, type Tx } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { type Caller, demand, type RequestFacts } from '../roles/index.ts'
import { findSigningKey } from '../signing/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import {
  type AgentKeyChange,
  findAgentKey,
  insertAgentKey,
  type Rendering,
  revokeAgentKeyRow,
  updateAgentKey,
} from './agent-keys-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly keyring: Keyring
  readonly recordAct: RecordAct
  readonly bus: Pick<Bus, 'announce'>
  /** The signing key whose signatures agents that are set up now will pin. */
  readonly currentSigningKeyId: (tx: Tx, tenant: string) => Promise<string | null>
}

type KeyDraft = {
  readonly environment: string
  readonly label: string
  readonly rendering: Rendering
  readonly mayDecide?: boolean
}

/** What people do with agent keys; each act is in the trail and on the bus, in one transaction with its change. */
export function manageAgentKeys({ db, clock, newId, keyring, recordAct, bus, currentSigningKeyId }: Needs) {
  const tell = async (
    tx: Tx,
    who: Caller,
    facts: RequestFacts,
    act: 'key.created' | 'key.changed' | 'key.revoked',
    id: string,
    details: Record<string, string | boolean | null>,
  ) => {
    await recordAct(tx, {
      tenant: who.tenant,
      act,
      ...actorOf(who),
      subject: { kind: 'agent_key', id },
      request: facts,
      details,
    })
    await bus.announce(tx, {
      topic: act,
      tenant: who.tenant,
      body: { key_id: id, environment: details['environment'] ?? null },
    })
  }

  return {
    /** Answers the whole key, which is shown this once. */
    make: async (who: Caller, draft: KeyDraft, facts: RequestFacts): Promise<{ id: string; key: string }> => {
      demand(who, 'keys:write', { environment: draft.environment })
      const random = randomToken()
      const start = `edk_${draft.environment}_`
      const key = `${start}${random}`
      const id = newId()
      await db.inTx(async (tx) => {
        const prefix = `${start}${random.slice(0, 8)}`
        const signingKeyId = await currentSigningKeyId(tx, who.tenant)
        const digest = keyring.digest('agent-key', key)
        await insertAgentKey(tx, {
          ...draft,
          mayDecide: draft.mayDecide ?? false,
          tenant: who.tenant,
          id,
          prefix,
          digest,
          signingKeyId,
          madeBy: who.id,
          madeAt: clock.now(),
        }).catch((cause: unknown) => {
          if (sqlState(cause) !== '23503') throw cause
          throw invalidInput(
            'body.environment',
            `There is no environment ${draft.environment}. Add it under Settings first.`,
          )
        })
        await tell(tx, who, facts, 'key.created', id, {
          environment: draft.environment,
          label: draft.label,
          prefix,
          may_decide: draft.mayDecide ?? false,
        })
      })
      return { id, key }
    },

    change: (who: Caller, id: string, change: AgentKeyChange, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        await demandKey(tx, who, id)
        if (change.signingKeyId !== undefined) {
          const signing = await findSigningKey(tx, who.tenant, change.signingKeyId)
          if (!signing) throw invalidInput('body.signing_key_id', 'There is no such signing key.')
          if (signing.retiredAt) throw invalidInput('body.signing_key_id', 'That signing key is retired.')
        }
        const found = await updateAgentKey(tx, who.tenant, id, change)
        if (!found) throw notFound('key')
        await tell(tx, who, facts, 'key.changed', id, {
          label: change.label ?? null,
          rendering: change.rendering ?? null,
          signing_key_id: change.signingKeyId ?? null,
        })
      }),

    /** Its next request is refused and its streams close: here at once, elsewhere within a second. */
    revoke: (who: Caller, id: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        await demandKey(tx, who, id)
        const revoked = await revokeAgentKeyRow(tx, who.tenant, id, who.id, clock.now())
        if (!revoked) throw notFound('key')
        await tell(tx, who, facts, 'key.revoked', id, { environment: revoked.environment, prefix: revoked.prefix })
      }),
  }
}

async function demandKey(tx: Tx, who: Caller, id: string): Promise<void> {
  const key = await findAgentKey(tx, who.tenant, id)
  if (!key) throw notFound('key')
  demand(who, 'keys:write', { environment: key.environment })
}

export type ManageAgentKeys = ReturnType<typeof manageAgentKeys>
