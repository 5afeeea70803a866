/** One thing a person may change at run time. What is not here cannot be changed while the server runs. */
export type SettingRow = {
  readonly group: string
  readonly title: string
  readonly help: string
  readonly unit?: string
  /** May be empty, and what that means. */
  readonly optional?: string
} & (
  | { readonly kind: 'integer'; readonly minimum: number; readonly maximum: number; readonly fallback: number | null }
  | { readonly kind: 'boolean'; readonly fallback: boolean }
  | {
      readonly kind: 'choice'
      readonly choices: readonly (readonly [value: string, title: string])[]
      readonly fallback: string
    }
)

export const settingRows = {
  'events.retention_days': {
    group: 'Events',
    title: 'Keep events for',
    help: 'Older events are removed each night, whole months at a time where possible.',
    unit: 'days',
    optional: 'Empty keeps every event.',
    kind: 'integer',
    minimum: 1,
    maximum: 3650,
    fallback: null,
  },
  'approvals.per_minute': {
    group: 'Approvals',
    title: 'Approvals an agent may ask for in a minute',
    help: 'Further requests get 429 and their calls are blocked. A key may ask for ten times as many.',
    unit: 'per minute',
    kind: 'integer',
    minimum: 1,
    maximum: 10_000,
    fallback: 10,
  },
  'assignments.order': {
    group: 'Assignments',
    title: 'Which ruleset an agent gets',
    help: 'Explicit assignments win, then rules, then what the agent asks for; the older product let the agent’s own choice win.',
    kind: 'choice',
    choices: [
      ['operator_first', 'Operators decide first'],
      ['agent_first', 'The agent’s choice first, as in Edictum Console'],
    ],
    fallback: 'operator_first',
  },
  'fleet.silent_minutes': {
    group: 'Fleet',
    title: 'Call an agent silent after',
    help: 'An agent without an open stream that was not heard of for this long is shown as silent.',
    unit: 'minutes',
    kind: 'integer',
    minimum: 1,
    maximum: 100_000,
    fallback: 30,
  },
  'streams.per_key': {
    group: 'Streams',
    title: 'Open streams per key',
    help: 'On all replicas together, give or take those opened within the same seconds. Further ones get 503 and try again later.',
    kind: 'integer',
    minimum: 1,
    maximum: 100_000,
    fallback: 20_000,
  },
  'mfa.required': {
    group: 'Sign-in',
    title: 'Everybody needs a second factor',
    help: 'Who has none reaches only the page to add one. Off: only the roles that are marked so need one.',
    kind: 'boolean',
    fallback: false,
  },
  'mfa.step_up_minutes': {
    group: 'Sign-in',
    title: 'Ask for a proof again after',
    help: 'How long a proven factor, or the password of somebody without one, opens acts that need a fresh proof.',
    unit: 'minutes',
    kind: 'integer',
    minimum: 1,
    maximum: 60,
    fallback: 10,
  },
  'mfa.trusted_device_days': {
    group: 'Sign-in',
    title: 'Trust a browser for',
    help: 'A trusted browser is not asked for a second factor at sign-in. Fewer days act on those trusted already; 0 trusts none.',
    unit: 'days',
    kind: 'integer',
    minimum: 0,
    maximum: 365,
    fallback: 30,
  },
  'sessions.idle_minutes': {
    group: 'Sessions',
    title: 'Sign browsers out when unused for',
    help: 'Acts at once, on sessions that are open too. Command lines stay signed in.',
    unit: 'minutes',
    kind: 'integer',
    minimum: 1,
    maximum: 1440,
    fallback: 30,
  },
  'sessions.hours': {
    group: 'Sessions',
    title: 'Sign browsers out after',
    help: 'However much they are used. Acts at once, on sessions that are open too.',
    unit: 'hours',
    kind: 'integer',
    minimum: 1,
    maximum: 720,
    fallback: 24,
  },
  'sessions.cli_days': {
    group: 'Sessions',
    title: 'Sign command lines out after',
    help: 'Acts at once, on those signed in too.',
    unit: 'days',
    kind: 'integer',
    minimum: 1,
    maximum: 365,
    fallback: 90,
  },
  'sign_in.password': {
    group: 'Sign-in',
    title: 'Sign in with a password',
    help: 'Off: only identity providers let people in. Can be switched off once an administrator has signed in with one.',
    kind: 'boolean',
    fallback: true,
  },
  'tokens.days_max': {
    group: 'API tokens',
    title: 'Longest life of an API token',
    help: 'Counted from when it is made or rotated; a token without an end of its own gets this one. Tokens there are keep theirs.',
    unit: 'days',
    optional: 'Empty allows tokens without an end.',
    kind: 'integer',
    minimum: 1,
    maximum: 3650,
    fallback: 365,
  },
} as const satisfies Record<string, SettingRow>

export type SettingName = keyof typeof settingRows
type Row<Name extends SettingName> = (typeof settingRows)[Name]
export type SettingValue<Name extends SettingName> =
  Row<Name> extends { kind: 'integer'; optional: string }
    ? number | null
    : Row<Name> extends { kind: 'integer' }
      ? number
      : Row<Name> extends { kind: 'boolean' }
        ? boolean
        : Row<Name> extends { kind: 'choice'; choices: readonly (readonly [infer Value, string])[] }
          ? Value
          : never

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settingRows, name)
}

/** What the process's configuration says a setting is as long as nobody changes it. */
export type ConfiguredFallbacks = Partial<
  Readonly<
    Record<
      SettingName,
      { readonly value: number | boolean | string; readonly isGiven: boolean; readonly variable: string }
    >
  >
>

export function fallbackOf(name: SettingName, configured: ConfiguredFallbacks): number | boolean | string | null {
  return configured[name]?.value ?? settingRows[name].fallback
}

/** What is wrong with a value, in words, or nothing. */
export function mistakeIn(row: SettingRow, value: unknown): string | undefined {
  if (value === null) return row.optional === undefined ? 'This setting needs a value.' : undefined
  switch (row.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'Must be true or false.'
    case 'choice':
      return row.choices.some(([choice]) => choice === value)
        ? undefined
        : `Must be one of ${row.choices.map(([choice]) => choice).join(', ')}.`
    case 'integer':
      return Number.isInteger(value) && Number(value) >= row.minimum && Number(value) <= row.maximum
        ? undefined
        : `Must be a whole number from ${row.minimum} to ${row.maximum}.`
  }
}
