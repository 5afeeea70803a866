import type { ApprovalPolicy } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Db, Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { listEnvironments } from '../environments/index.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { type Asked, openPolicy, type Policy, strictest } from './approval.ts'
import { deriveWhy, type RevisionText } from './derive-why.ts'

/** `rule` is empty for the whole environment. */
type PolicyRow = Policy & { readonly rule: string }

async function listPolicies(db: Sql, tenant: string, environment: string): Promise<PolicyRow[]> {
  return db.query<PolicyRow>(
    `select p.rule, p.proof, p.approvers, p.excludes_owner as "excludesOwner"
       from approval_policies as p
      where p.tenant_id = $1 and p.environment = $2
      order by p.rule`,
    [tenant, environment],
  )
}

export type PolicyOf = (asked: Omit<Asked, 'digest' | 'policy'>) => Promise<Policy>

type OfNeeds = {
  readonly db: Sql
  readonly revisionText: (tenant: string, hash: string) => Promise<RevisionText | undefined>
}

/**
 * What a decision of a call needs: the environment's policy, made stricter by those of the rules that may have held it.
 * Which rule did is looked for in the revision; what the agent says of it is not believed, or it could choose the
 * softest. Where none is found, every rule's policy of the environment counts.
 */
export function policyOf({ db, revisionText }: OfNeeds): PolicyOf {
  return async (asked) => {
    const rows = await listPolicies(db, asked.tenant, asked.environment)
    const general = rows.filter(({ rule }) => rule === '')
    const special = rows.filter(({ rule }) => rule !== '')
    if (special.length === 0) return strictest(general)
    const revision = asked.revision === null ? undefined : await revisionText(asked.tenant, asked.revision)
    const { rules } = deriveWhy({ ...asked, claimedRule: null }, revision)
    const ids = new Set(rules.map(({ id }) => id))
    if (asked.claimedRule !== null) ids.add(asked.claimedRule)
    const found = rules.length === 0 ? special : special.filter(({ rule }) => ids.has(rule))
    return strictest([...general, ...found])
  }
}

type Needs = {
  readonly db: Db
  readonly clock: Pick<Clock, 'now'>
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
}

/** Approval policies of an environment, as an administrator reads and writes them: all at once. */
export function approvalPolicies({ db, clock, bus, recordAct }: Needs) {
  const onWire = ({ rule, proof, approvers, excludesOwner }: PolicyRow): ApprovalPolicy => ({
    rule: rule === '' ? null : rule,
    proof,
    approvers,
    excludes_owner: excludesOwner,
  })
  const read = async (sql: Sql, tenant: string, environment: string): Promise<ApprovalPolicy[]> => {
    if (!(await listEnvironments(sql, tenant)).some(({ name }) => name === environment)) throw notFound('environment')
    const rows = await listPolicies(sql, tenant, environment)
    return rows.some(({ rule }) => rule === '')
      ? rows.map(onWire)
      : [onWire({ rule: '', ...openPolicy }), ...rows.map(onWire)]
  }
  return {
    read: (tenant: string, environment: string) => read(db, tenant, environment),
    write: (who: Person, environment: string, policies: readonly ApprovalPolicy[], facts: RequestFacts) =>
      db.inTx(async (tx) => {
        const before = await read(tx, who.tenant, environment)
        await tx.query(`delete from approval_policies as p where p.tenant_id = $1 and p.environment = $2`, [
          who.tenant,
          environment,
        ])
        for (const { rule, proof, approvers, excludes_owner: excludesOwner } of policies)
          await tx.query(
            `insert into approval_policies (tenant_id, environment, rule, proof, approvers, excludes_owner, changed_by, changed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)`,
            [who.tenant, environment, rule ?? '', proof, approvers, excludesOwner, who.id, clock.now()],
          )
        const after = await read(tx, who.tenant, environment)
        await recordAct(tx, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'approval_policies.changed',
          subject: { kind: 'environment', id: environment },
          request: facts,
          details: { before, after },
        })
        await bus.announce(tx, { topic: 'environment.changed', tenant: who.tenant, body: { name: environment } })
        return after
      }),
  }
}
