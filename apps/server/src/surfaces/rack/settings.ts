import { Type } from '@countersign/wire'
import { type Person, type RequestFacts, type Route, route } from '../../features/roles/index.ts'
import type { ManageSettings, SettingName } from '../../features/settings/index.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { badRequest } from './words.ts'

/** Their groups and names, as far as the same can be set here. */
const groups = {
  'mfa-configuration': {
    factor: 'always',
    keys: {
      mfa_require_all_users: 'mfa.required',
      mfa_trusted_device_ttl_days: 'mfa.trusted_device_days',
      mfa_step_up_window_minutes: 'mfa.step_up_minutes',
    },
  },
  'session-configuration': { factor: 'step-up', keys: { session_timeout_minutes: 'sessions.idle_minutes' } },
} as const satisfies Record<
  string,
  { readonly factor: 'always' | 'step-up'; readonly keys: Readonly<Record<string, SettingName>> }
>

type Keys = Readonly<Record<string, SettingName>>
const value = Type.Union([Type.Boolean(), Type.Number(), Type.String({ maxLength: 100 }), Type.Null()])

/** Settings as Rack Gateway's clients read and change them (gateway §3.6): in groups, all of a change or none. */
export function rackSettingRoutes({ settings }: { readonly settings: ManageSettings }): readonly Route[] {
  const show = async (tenant: string, keys: Keys) => {
    const found = new Map((await settings.list(tenant)).map((one) => [one.name, one]))
    return Object.fromEntries(
      Object.entries(keys).map(([key, name]) => {
        const one = found.get(name)
        if (one === undefined) throw new Error(`No setting ${name}`)
        return [key, { value: one.value, source: one.source, env_var: one.environment_variable ?? '' }] as const
      }),
    )
  }
  const nameIn = (keys: Keys, key: string): SettingName => {
    const name = keys[key]
    if (name !== undefined && Object.hasOwn(keys, key)) return name
    const isElsewhere = Object.values<{ readonly keys: Keys }>(groups).some((group) => Object.hasOwn(group.keys, key))
    throw badRequest(isElsewhere ? `setting ${key} is not managed by this endpoint` : `unknown setting key: ${key}`)
  }
  const change = async (
    who: Person,
    keys: Keys,
    changes: readonly (readonly [string, boolean | number | string | null | undefined])[],
    facts: RequestFacts,
  ) => {
    const named = changes.map(([key, wanted]) => ({ name: nameIn(keys, key), value: wanted }))
    await settings.change(who, named, facts).catch((cause: unknown) => {
      const isMistake = cause instanceof Problem && cause.kind === problems.invalidInput
      if (!isMistake) throw cause
      const key = Object.keys(keys).find((one) => keys[one] === cause.facts['setting']) ?? 'setting'
      throw badRequest(`${key}: ${cause.detail}`)
    })
  }

  const all: Keys = Object.assign({}, ...Object.values(groups).map(({ keys }) => keys)) as Keys
  return [
    route({
      does: 'List settings with their sources',
      method: 'GET',
      path: '/settings',
      needs: 'settings:read',
      handle: ({ who }) => show(who.tenant, all),
    }),
    ...Object.entries(groups).flatMap(([group, { factor, keys }]) => [
      route({
        does: 'Change settings of one group',
        method: 'PUT',
        path: `/settings/${group}`,
        needs: 'settings:write',
        factor,
        bodyBytesMax: 16_384,
        body: Type.Record(Type.String({ maxLength: 100 }), value),
        handle: async ({ who, body, facts }) => {
          if (Object.keys(body).length === 0) throw badRequest('no settings provided')
          await change(who, keys, Object.entries(body), facts)
          return show(who.tenant, keys)
        },
      }),
      route({
        does: 'Take settings of one group back to what holds without them',
        method: 'DELETE',
        path: `/settings/${group}`,
        needs: 'settings:write',
        factor,
        query: Type.Object({
          key: Type.Optional(
            Type.Union([
              Type.Array(Type.String({ maxLength: 100 }), { maxItems: 20 }),
              Type.String({ maxLength: 100 }),
            ]),
          ),
        }),
        handle: async ({ who, query: { key = [] }, facts }) => {
          const given = typeof key === 'string' ? [key] : key
          if (given.length === 0) throw badRequest('at least one key is required')
          await change(
            who,
            keys,
            given.map((one) => [one, undefined] as const),
            facts,
          )
          const named = Object.fromEntries(given.map((one) => [one, nameIn(keys, one)]))
          return show(who.tenant, named)
        },
      }),
    ]),
  ]
}
