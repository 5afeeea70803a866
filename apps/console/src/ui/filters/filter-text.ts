/** One condition: `agent:build-7`, or `-agent:build-7` to leave it out. */
export type Filter = { readonly name: string; readonly value: string; readonly isExcluded: boolean }

export type Filters = { readonly filters: readonly Filter[]; readonly text: string }

const part = /(-?)([a-z_]+):(?:"((?:[^"\\]|\\.)*)"|(\S+))|(\S+)/gy

/** Reads what was typed. Only known names make conditions; the rest is plain text, so that a tool called `a:b` can be sought. */
export function readFilters(written: string, names: readonly string[]): Filters {
  const filters: Filter[] = []
  const words: string[] = []
  for (const { name, value, isExcluded, written: whole } of partsOf(written)) {
    if (name !== null && value !== '' && names.includes(name)) filters.push({ name, value, isExcluded })
    else words.push(whole)
  }
  return { filters, text: words.join(' ') }
}

export function writeFilters({ filters, text }: Filters): string {
  return [...filters.map(writeFilter), ...(text === '' ? [] : [text])].join(' ')
}

export function writeFilter({ name, value, isExcluded }: Filter): string {
  const plain = /^[^\s"\\]+$/.test(value)
  const written = plain ? value : `"${value.replace(/["\\]/g, String.raw`\$&`)}"`
  return `${isExcluded ? '-' : ''}${name}:${written}`
}

export function hasFilter(filters: readonly Filter[], sought: Filter): boolean {
  return filters.some((filter) => isSame(filter, sought))
}

/** Adds it, or takes it away when it is there. Its opposite never stays beside it. */
export function toggleFilter(filters: readonly Filter[], toggled: Filter): readonly Filter[] {
  if (hasFilter(filters, toggled)) return filters.filter((filter) => !isSame(filter, toggled))
  const opposite = { ...toggled, isExcluded: !toggled.isExcluded }
  return [...filters.filter((filter) => !isSame(filter, opposite)), toggled]
}

/** Keeps this value of its name and no other. */
export function onlyFilter(filters: readonly Filter[], name: string, value: string): readonly Filter[] {
  return [...filters.filter((filter) => filter.name !== name), { name, value, isExcluded: false }]
}

function isSame(one: Filter, other: Filter): boolean {
  return one.name === other.name && one.value === other.value && one.isExcluded === other.isExcluded
}

function* partsOf(written: string) {
  let at = 0
  while (at < written.length) {
    if (/\s/.test(written[at] ?? '')) {
      at += 1
      continue
    }
    part.lastIndex = at
    const found = part.exec(written)
    if (!found) return
    at = part.lastIndex
    const [whole, minus = '', name, quoted, plain] = found
    const value = quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1')
    yield { written: whole, name: name ?? null, value, isExcluded: minus === '-' }
  }
}
