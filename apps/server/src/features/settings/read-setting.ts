import type { Bus } from '../../kernel/bus.ts'
import type { Sql } from '../../kernel/db.ts'
import { shareAnswers } from '../../kernel/share-answers.ts'
import {
  type ConfiguredFallbacks,
  fallbackOf,
  isSettingName,
  mistakeIn,
  type SettingName,
  type SettingValue,
  settingRows,
} from './settings.ts'

type Needs = {
  readonly db: Sql
  readonly bus: Pick<Bus, 'on' | 'isProven'>
  readonly configured: ConfiguredFallbacks
}

export type ReadSetting = <Name extends SettingName>(tenant: string, name: Name) => Promise<SettingValue<Name>>

/** The value that holds for a tenant. Read once and kept until somebody changes one. */
export function readSetting({ db, bus, configured }: Needs): ReadSetting {
  const known = new Map<string, ReadonlyMap<SettingName, unknown>>()
  const lookups = shareAnswers<ReadonlyMap<SettingName, unknown>>()
  let changes = 0
  bus.on('settings.changed', ({ tenant }) => {
    if (tenant === null) return
    changes += 1
    known.delete(tenant)
    lookups.forget(tenant)
  })
  const read = async (tenant: string): Promise<ReadonlyMap<SettingName, unknown>> => {
    const kept = bus.isProven() ? known.get(tenant) : undefined
    return kept ?? lookups.ask(tenant, () => look(tenant))
  }
  const look = async (tenant: string): Promise<ReadonlyMap<SettingName, unknown>> => {
    const before = changes
    const rows = await db.query<{ name: string; value: unknown }>(
      `select s.name, s.value from settings as s where s.tenant_id = $1`,
      [tenant],
    )
    const values = new Map<SettingName, unknown>()
    // A value an older release allowed and this one does not is as if it were not there.
    for (const { name, value } of rows)
      if (isSettingName(name) && mistakeIn(settingRows[name], value) === undefined) values.set(name, value)
    // News that came while it was read may have been of these very rows, and will not come again.
    if (before === changes) known.set(tenant, values)
    return values
  }
  return async <Name extends SettingName>(tenant: string, name: Name) => {
    const values = await read(tenant)
    // Checked by mistakeIn when it was read and when it was written.
    return (values.has(name) ? values.get(name) : fallbackOf(name, configured)) as SettingValue<Name>
  }
}
