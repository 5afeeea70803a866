import { setting, settingChange, settingList, Type } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import { type Person, type RequestFacts, type Route, route } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import {
  type ConfiguredFallbacks,
  fallbackOf,
  isSettingName,
  mistakeIn,
  type SettingName,
  type SettingRow,
  settingRows,
} from './settings.ts'

type Value = string | number | boolean | null

/** A value of the process's configuration, shown beside those a person may change. */
export type ConfiguredSetting = {
  readonly name: string
  readonly group: string
  readonly title: string
  readonly help: string
  readonly kind: 'integer' | 'boolean' | 'choice'
  readonly unit?: string
  readonly value: Value
  readonly isGiven: boolean
  readonly variable: string
}

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
  readonly configured: ConfiguredFallbacks
  /** What else must hold before a setting takes a value, in words when it does not. */
  readonly objections?: Partial<
    Readonly<Record<SettingName, (tx: Tx, tenant: string, value: Value) => Promise<string | undefined>>>
  >
}

const params = Type.Object({ name: Type.String({ maxLength: 100 }) })

export type ManageSettings = ReturnType<typeof manageSettings>
type Change = {
  readonly name: SettingName
  /** Undefined takes the setting back to what holds without it. */
  readonly value: Value | undefined
}

/** What tenants say over the process's configuration. */
export function manageSettings({ db, clock, bus, recordAct, configured: fallbacks, objections = {} }: Needs) {
  const stored = async (sql: Pick<Db, 'query'>, tenant: string): Promise<ReadonlyMap<string, Value>> => {
    const rows = await sql.query<{ name: string; value: Value }>(
      `select s.name, s.value from settings as s where s.tenant_id = $1`,
      [tenant],
    )
    return new Map(rows.map(({ name, value }) => [name, value]))
  }

  const write = (tx: Tx, who: Person, { name, value }: Change) =>
    value === undefined
      ? tx.query(`delete from settings as s where s.tenant_id = $1 and s.name = $2`, [who.tenant, name])
      : tx.query(
          `insert into settings (tenant_id, name, value, changed_by, changed_at) values ($1, $2, $3, $4, $5)
           on conflict (tenant_id, name) do update set value = excluded.value, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
          [who.tenant, name, JSON.stringify(value), who.id, clock.now()],
        )

  return {
    list: async (tenant: string) => {
      const values = await stored(db, tenant)
      return (Object.keys(settingRows) as SettingName[]).map((name) => view(name, values, fallbacks))
    },

    /** All of them or none. */
    change: (who: Person, changes: readonly Change[], facts: RequestFacts) =>
      db.inTx(async (tx) => {
        const values = await stored(tx, who.tenant)
        for (const change of changes) {
          const { name, value } = change
          const mistake = value === undefined ? undefined : mistakeIn(settingRows[name], value)
          if (mistake !== undefined)
            throw new Problem(problems.invalidInput, mistake, {
              errors: [{ path: 'body.value', message: mistake }],
              facts: { setting: name },
            })
          const after = value === undefined ? fallbackOf(name, fallbacks) : value
          const objection = await objections[name]?.(tx, who.tenant, after)
          if (objection !== undefined) throw new Problem(problems.conflict, objection)
          await write(tx, who, change)
          await recordAct(tx, {
            tenant: who.tenant,
            act: 'setting.changed',
            ...actorOf(who),
            subject: { kind: 'setting', id: name },
            request: facts,
            details: { before: values.get(name) ?? fallbackOf(name, fallbacks), after },
          })
          await bus.announce(tx, { topic: 'settings.changed', tenant: who.tenant, body: { name } })
        }
        const made = await stored(tx, who.tenant)
        return changes.map(({ name }) => view(name, made, fallbacks))
      }),
  }
}

export function settingRoutes(
  { settings }: { readonly settings: ManageSettings },
  configured: readonly ConfiguredSetting[],
): readonly Route[] {
  const known = (name: string): SettingName => {
    if (!isSettingName(name)) throw notFound('setting that can be changed here')
    return name
  }
  const one = async (who: Person, change: Change, facts: RequestFacts) => {
    const [changed] = await settings.change(who, [change], facts)
    if (!changed) throw new Error('Every change is answered')
    return changed
  }
  /** Settings below a path: all that begin with `prefix`, and that no longer path claims. */
  const changes = (prefix: '' | 'mfa.', factor: 'step-up' | 'always') => {
    const nameIn = (rest: string): SettingName => {
      const name = known(prefix + rest)
      if (prefix === '' && name.startsWith('mfa.')) throw new Error('What concerns factors has a path of its own')
      return name
    }
    const words = {
      path: `/settings/${prefix}:name`,
      needs: 'settings:write',
      factor,
      params,
      answers: setting,
    } as const
    const which = prefix === '' ? 'a setting' : 'a setting of second factors'
    return [
      route({
        does: `Change ${which}`,
        method: 'PUT',
        ...words,
        body: settingChange,
        handle: ({ who, params: { name }, body, facts }) => one(who, { name: nameIn(name), value: body.value }, facts),
      }),
      route({
        does: `Take ${which} back to what holds without it`,
        method: 'DELETE',
        ...words,
        handle: ({ who, params: { name }, facts }) => one(who, { name: nameIn(name), value: undefined }, facts),
      }),
    ]
  }

  return [
    route({
      does: 'List settings with their sources',
      method: 'GET',
      path: '/settings',
      needs: 'settings:read',
      answers: settingList,
      handle: async ({ who }) => ({
        items: [...(await settings.list(who.tenant)), ...configured.map(configuredView)],
      }),
    }),
    ...changes('', 'step-up'),
    // Who may do without a second factor is not for a window that somebody left open.
    ...changes('mfa.', 'always'),
  ]
}

function view(name: SettingName, values: ReadonlyMap<string, Value>, fallbacks: ConfiguredFallbacks) {
  const row: SettingRow = settingRows[name]
  const fallback = fallbackOf(name, fallbacks)
  const isGiven = fallbacks[name]?.isGiven ?? false
  const isStored = values.has(name) && mistakeIn(row, values.get(name)) === undefined
  return {
    name,
    group: row.group,
    title: row.title,
    help: row.optional === undefined ? row.help : `${row.help} ${row.optional}`,
    kind: row.kind,
    unit: row.unit ?? null,
    choices: row.kind === 'choice' ? row.choices.map(([value, title]) => ({ value, title })) : [],
    minimum: row.kind === 'integer' ? row.minimum : null,
    maximum: row.kind === 'integer' ? row.maximum : null,
    is_optional: row.optional !== undefined,
    value: isStored ? (values.get(name) ?? null) : fallback,
    source: isStored ? ('database' as const) : isGiven ? ('environment' as const) : ('default' as const),
    fallback,
    environment_variable: fallbacks[name]?.variable ?? null,
  }
}

function configuredView(row: ConfiguredSetting) {
  return {
    name: row.name,
    group: row.group,
    title: row.title,
    help: row.help,
    kind: row.kind,
    unit: row.unit ?? null,
    choices: [],
    minimum: null,
    maximum: null,
    is_optional: false,
    value: row.value,
    source: row.isGiven ? ('environment' as const) : ('default' as const),
    fallback: row.value,
    environment_variable: row.variable,
  }
}
