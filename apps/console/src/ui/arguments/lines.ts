import type { Node } from './json-tree.ts'

/** One line of the tree on the screen. */
export type Line = {
  /** A JSON pointer: names the line, and what is folded. */
  readonly path: string
  readonly depth: number
  readonly name: string | null
  readonly node: Node
  readonly isFolded: boolean
  readonly change?: 'added' | 'removed' | 'changed'
  /** What was there before, for a changed value. */
  readonly before?: Node
}

type Member = { readonly name: string; readonly value: Node }

/** The lines to show, those inside of folded ones left out. With `before`, what differs is marked and what is gone is listed. */
export function linesOf(root: Node, folded: ReadonlySet<string>, before?: Node): readonly Line[] {
  const lines: Line[] = []
  const walk = (
    node: Node,
    path: string,
    depth: number,
    name: string | null,
    earlier: Node | undefined,
    mark?: 'added' | 'removed',
  ): void => {
    const isFolded = folded.has(path)
    const isChanged = mark === undefined && earlier !== undefined && isLeafChange(node, earlier)
    lines.push({
      path,
      depth,
      name,
      node,
      isFolded,
      ...(mark && { change: mark }),
      ...(isChanged && { change: 'changed' as const, before: earlier }),
    })
    if (isFolded) return
    const earlierMembers = earlier && mark === undefined && !isChanged ? membersOf(earlier) : undefined
    for (const [index, member] of membersOf(node).entries()) {
      const was = earlierMembers?.find(({ name: known }) => known === member.name)?.value
      const isNew = earlierMembers !== undefined && was === undefined
      walk(
        member.value,
        pointer(path, member.name, index),
        depth + 1,
        member.name,
        was,
        mark ?? (isNew ? 'added' : undefined),
      )
    }
    const names = new Set(membersOf(node).map((member) => member.name))
    for (const [index, gone] of (earlierMembers ?? []).entries()) {
      if (!names.has(gone.name))
        walk(gone.value, `${pointer(path, gone.name, index)}~gone`, depth + 1, gone.name, undefined, 'removed')
    }
  }
  walk(root, '', 0, null, before)
  return lines
}

export function membersOf(node: Node): readonly Member[] {
  if (node.is === 'object') return node.members
  if (node.is === 'list') return node.items.map((value, index) => ({ name: String(index), value }))
  return []
}

/** `{ 3 }`, `[ 12 ]`: what a folded line says of its inside. */
export function sizeWords(node: Node): string {
  const size = membersOf(node).length
  return node.is === 'list' ? `[${size}]` : `{${size}}`
}

/** Everything below the second level and lists longer than twenty begin folded: the shape comes first. */
export function foldedAtFirst(root: Node): ReadonlySet<string> {
  const folded = new Set<string>()
  const walk = (node: Node, path: string, depth: number): void => {
    const members = membersOf(node)
    if (depth > 0 && (members.length > 20 || (depth >= 3 && members.length > 0))) folded.add(path)
    for (const [index, { name, value }] of members.entries()) walk(value, pointer(path, name, index), depth + 1)
  }
  walk(root, '', 0)
  return folded
}

/** Whether the line's own name or value holds the words sought. */
export function isHit(line: Line, sought: string): boolean {
  const words = sought.trim().toLowerCase()
  if (words === '') return false
  const own = line.node.is === 'text' ? line.node.text : 'written' in line.node ? line.node.written : ''
  return (line.name ?? '').toLowerCase().includes(words) || own.toLowerCase().includes(words)
}

/** What the server puts where a secret was. */
export function isMasked(text: string): boolean {
  return /^\[?\*{0,3}\[?redacted(?::[^\]]*)?\]?\*{0,3}$/i.test(text) || /^\*{3,}$/.test(text)
}

function isLeafChange(node: Node, earlier: Node): boolean {
  if (node.is !== earlier.is) return true
  if (node.is === 'text' && earlier.is === 'text') return node.text !== earlier.text
  if ('written' in node && 'written' in earlier) return node.written !== earlier.written
  return false
}

/** The index keeps two members of one name apart. */
function pointer(path: string, name: string, index: number): string {
  return `${path}/${index}:${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
