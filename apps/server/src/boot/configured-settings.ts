import type { ConfiguredFallbacks, ConfiguredSetting } from '../features/settings/index.ts'
import { type Config } from './config.ts'
import { variables } from './variables.ts'

/** Values of the environment that operators look for on the settings page. They change with a restart. */
export function configuredSettings(config: Config): readonly ConfiguredSetting[] {
  const shown = [
    ['signInAttempts', 'Sessions', 'Sign-in attempts per window', 'attempts'],
    ['signInWindowSeconds', 'Sessions', 'Length of that window', 'seconds'],
    ['logRetentionDays', 'Trail', 'How long entries are kept', 'days'],
  ] as const
  return shown.map(([key, group, title, unit]) => ({
    name: variables[key].name.toLowerCase(),
    group,
    title,
    unit,
    help: variables[key].help,
    kind: 'integer',
    value: config[key] ?? null,
    isGiven: config.given.has(variables[key].name),
    variable: variables[key].name,
  }))
}

/** What the environment says of settings people may change at run time: it holds as long as nobody has. */
export function configuredFallbacks(config: Config): ConfiguredFallbacks {
  const of = (key: 'sessionHours' | 'sessionIdleMinutes') => ({
    value: config[key],
    isGiven: config.given.has(variables[key].name),
    variable: variables[key].name,
  })
  return { 'sessions.hours': of('sessionHours'), 'sessions.idle_minutes': of('sessionIdleMinutes') }
}
