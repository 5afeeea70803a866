import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Caller, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { type Composition, type CompositionItem, type Mode, placeItems, type WantedItem } from './composition.ts'
import {
  deleteComposition,
  findComposition,
  holdRules,
  insertComposition,
  listItems,
  replaceItems,
  updateComposition,
} from './compositions-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

export type CompositionWords = {
  readonly description?: string | null | undefined
  readonly defaultMode?: Mode | undefined
  readonly items?: readonly WantedItem[] | undefined
  readonly tools?: unknown
  readonly observability?: unknown
}

export type WholeComposition = Composition & { readonly items: readonly CompositionItem[] }

export type ManageCompositions = ReturnType<typeof manageCompositions>

/** Makes, changes and removes compositions. Rulesets that were made of one stay when it goes. */
export function manageCompositions({ db, clock, newId, tell: { bus, recordAct } }: Needs) {
  const find = async (sql: Pick<Db, 'query'>, tenant: string, name: string): Promise<WholeComposition> => {
    const found = await findComposition(sql, tenant, name)
    if (!found) throw notFound('composition')
    return { ...found, items: await listItems(sql, tenant, name) }
  }

  const tell = async (
    tx: Tx,
    who: Caller,
    act: 'created' | 'changed' | 'deleted',
    name: string,
    facts: RequestFacts,
  ): Promise<void> => {
    const items = act === 'deleted' ? [] : await listItems(tx, who.tenant, name)
    await recordAct(tx, {
      ...actorOf(who),
      tenant: who.tenant,
      act: `composition.${act}`,
      subject: { kind: 'composition', id: name },
      request: facts,
      details: { rules: items.map(({ ruleId, version, mode }) => ({ rule: ruleId, version, mode })) },
    })
    await bus.announce(tx, { topic: 'composition.changed', tenant: who.tenant, body: { composition: name } })
  }

  const place = async (tx: Tx, tenant: string, name: string, wanted: readonly WantedItem[]): Promise<void> => {
    const latest = await holdRules(
      tx,
      tenant,
      wanted.map(({ ruleId }) => ruleId),
    )
    for (const { ruleId, version } of wanted) {
      const newest = latest.get(ruleId)
      if (newest === undefined) throw invalidInput('body.items', `There is no rule ${ruleId} in the library.`)
      if (version !== undefined && version > newest) {
        throw invalidInput('body.items', `${ruleId} has no version ${version}; the newest is ${newest}.`)
      }
    }
    await replaceItems(tx, tenant, name, placeItems(wanted, await listItems(tx, tenant, name), latest))
  }

  /** Within the caller's transaction, for imports. */
  const create = async (
    tx: Tx,
    who: Caller,
    name: string,
    { description = null, defaultMode = 'enforce', items = [], tools = null, observability = null }: CompositionWords,
    facts: RequestFacts,
  ): Promise<void> => {
    const words = { description, defaultMode, tools, observability }
    const made = { ...words, tenant: who.tenant, id: newId(), name, by: who.id, at: clock.now() }
    if (!(await insertComposition(tx, made))) {
      throw new Problem(problems.conflict, `There is a composition ${name} already.`)
    }
    await place(tx, who.tenant, name, items)
    await tell(tx, who, 'created', name, facts)
  }

  const change = async (
    tx: Tx,
    who: Caller,
    name: string,
    expectedEdit: number | undefined,
    words: CompositionWords,
    facts: RequestFacts,
  ): Promise<void> => {
    const before = await find(tx, who.tenant, name)
    const isMade = await updateComposition(tx, who.tenant, name, expectedEdit ?? before.edit, {
      description: words.description === undefined ? before.description : words.description,
      defaultMode: words.defaultMode ?? before.defaultMode,
      tools: words.tools === undefined ? before.tools : words.tools,
      observability: words.observability === undefined ? before.observability : words.observability,
      by: who.id,
      at: clock.now(),
    })
    if (!isMade) throw stale(await find(tx, who.tenant, name))
    if (words.items) await place(tx, who.tenant, name, words.items)
    await tell(tx, who, 'changed', name, facts)
  }

  return {
    find: (tenant: string, name: string) => find(db, tenant, name),
    createIn: create,
    changeIn: change,
    create: (who: Caller, name: string, words: CompositionWords, facts: RequestFacts): Promise<WholeComposition> =>
      db.inTx(async (tx) => {
        await create(tx, who, name, words, facts)
        return find(tx, who.tenant, name)
      }),
    /** As it was read: with an edit that is no longer the newest, nothing is changed. */
    change: (
      who: Caller,
      name: string,
      expectedEdit: number | undefined,
      words: CompositionWords,
      facts: RequestFacts,
    ): Promise<WholeComposition> =>
      db.inTx(async (tx) => {
        await change(tx, who, name, expectedEdit, words, facts)
        return find(tx, who.tenant, name)
      }),
    remove: (who: Caller, name: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        if (!(await deleteComposition(tx, who.tenant, name))) throw notFound('composition')
        await tell(tx, who, 'deleted', name, facts)
      }),
  }
}

function stale(now: WholeComposition): Problem {
  return new Problem(
    problems.conflict,
    `Somebody else changed ${now.name} meanwhile (${now.changedByEmail ?? now.changedBy}). Look at it again, then change it.`,
    {
      facts: {
        edit: now.edit,
        items: now.items.map(({ ruleId, version, mode, isEnabled }) => ({
          rule_id: ruleId,
          version,
          mode,
          is_enabled: isEnabled,
        })),
      },
    },
  )
}
