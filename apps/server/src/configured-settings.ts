import { type Config, variables } from './config.ts'
import type { ConfiguredSetting } from './features/settings/index.ts'

/** Values of the environment that operators look for on the settings page. They change with a restart. */
export function configuredSettings(config: Config): readonly ConfiguredSetting[] {
  const shown = [
    ['sessionHours', 'Sessions', 'Sessions end after', 'hours'],
    ['sessionIdleMinutes', 'Sessions', 'Unused sessions end after', 'minutes'],
    ['signInAttempts', 'Sessions', 'Sign-in attempts per window', 'attempts'],
    ['signInWindowSeconds', 'Sessions', 'Length of that window', 'seconds'],
  ] as const
  return shown.map(([key, group, title, unit]) => ({
    name: variables[key].name.toLowerCase(),
    group,
    title,
    unit,
    help: variables[key].help,
    kind: 'integer',
    value: config[key],
    isGiven: config.given.has(variables[key].name),
    variable: variables[key].name,
  }))
}
