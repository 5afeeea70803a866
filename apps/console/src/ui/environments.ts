/** Operators choose an environment's colour by name; these are kept clear of what the verdicts' colours mean. */
export const environmentColors = {
  crimson: '#c2255c',
  orange: '#d9480f',
  gold: '#b08900',
  teal: '#0c8599',
  blue: '#1c7ed6',
  indigo: '#4c5fd5',
  plum: '#9c36b5',
  slate: '#64748b',
} as const

export type EnvironmentColor = keyof typeof environmentColors

/** Names older installations may carry. */
const alsoKnownAs: Readonly<Record<string, EnvironmentColor>> = {
  red: 'crimson',
  amber: 'gold',
  yellow: 'gold',
  green: 'teal',
  cyan: 'teal',
  violet: 'plum',
  purple: 'plum',
  gray: 'slate',
  grey: 'slate',
}

export function colorOf(written: string): string {
  if (/^#[0-9a-f]{6}$/i.test(written)) return written
  const name = alsoKnownAs[written] ?? written
  return Object.hasOwn(environmentColors, name) ? environmentColors[name as EnvironmentColor] : environmentColors.slate
}
