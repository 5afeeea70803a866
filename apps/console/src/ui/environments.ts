/** Operators choose an environment's colour by name. Squares, so that they are not taken for a verdict, and clear of its hues. */
const colors: Readonly<Record<string, string>> = {
  red: '#c2255c',
  orange: '#d9480f',
  yellow: '#b08900',
  green: '#5c940d',
  teal: '#0c8599',
  blue: '#1c7ed6',
  violet: '#9c36b5',
  gray: '#64748b',
}

export const environmentColorNames = Object.keys(colors)

export function colorOf(name: string): string {
  return colors[name] ?? '#64748b'
}
