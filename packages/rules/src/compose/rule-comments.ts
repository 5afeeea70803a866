import { CST, Lexer } from 'yaml'
import type { MapNode, Node } from '../read/tree.ts'
import { words } from '../read/words.ts'

/**
 * What people wrote beside a rule, as lines that begin with `#`: under the field it stands above or behind, and under the
 * empty name what is about the whole rule. A comment deep inside a field moves above the field; none is lost.
 */
export type RuleComments = ReadonlyMap<string, readonly string[]>

interface Comment {
  readonly start: number
  readonly text: string
  readonly column: number
  /** Something else stands before it on its line. */
  readonly isBehind: boolean
}

interface Rules {
  readonly rules: readonly MapNode[]
  /** The part of the text that is about them. */
  readonly from: number
  readonly to: number
}

/** What a rule is called and what it is stand first; a comment there is about the whole rule. */
const heads = new Set(['id', 'type'])

/** The comments of each rule of a text in any of its shapes, in the order of its rules. `root` is what was read of it. */
export function commentsOfRules(text: string, root: Node): readonly RuleComments[] {
  const comments = text.includes('#') ? commentsIn(text) : []
  if (comments.length === 0) return []
  const { rules, from, to } = rulesIn(text, root)
  const made = rules.map(() => new Map<string, string[]>())
  let next = 0
  for (const comment of comments) {
    if (comment.start < from || comment.start >= to) continue
    // Both stand in the order of the text, so neither is gone through twice.
    while ((rules[next]?.span.start ?? text.length) <= comment.start) next += 1
    const at = ownerOf(comment, rules, { next, text })
    const rule = rules[at]
    const own = made[at]
    const isOfWhatFollows = next === rules.length && to < text.length && rule && isOutside(comment, rule, text)
    if (!rule || !own || isOfWhatFollows) continue
    const field = fieldOf(comment, rule, text)
    const known = own.get(field)
    if (known) known.push(comment.text)
    else own.set(field, [comment.text])
  }
  return made
}

/** A printed rule with its comments, each above its field. `indent` is where its fields stand. */
export function withComments(printed: string, comments: RuleComments | undefined, indent: number): string {
  if (!comments || comments.size === 0) return printed
  const pad = ' '.repeat(indent)
  const left = new Map(comments)
  const lines = printed.split('\n').flatMap((line) => {
    const name = line.startsWith(pad) ? /^[a-z_]+(?=:)/.exec(line.slice(indent))?.[0] : undefined
    const field = name === undefined ? undefined : fieldNamed(name)
    const above = field === undefined ? undefined : left.get(field)
    if (field === undefined || above === undefined) return [line]
    left.delete(field)
    return [...above.map((one) => `${pad}${one}`), line]
  })
  const outer = printed.trimStart().startsWith('- ') ? ' '.repeat(indent - 2) : pad
  // About the rule, and about fields that are not written out because they say what holds anyway.
  return [...[...left.values()].flat().map((one) => `${outer}${one}`), ...lines].join('\n')
}

function commentsIn(text: string): readonly Comment[] {
  const comments: Comment[] = []
  let offset = 0
  let isScalar = false
  for (const lexeme of new Lexer().lex(text)) {
    const kind: string | null = isScalar ? 'text' : CST.tokenType(lexeme)
    isScalar = kind === 'scalar'
    // The lexer's own marks stand for no text.
    if (kind === 'scalar' || kind === 'doc-mode' || kind === 'flow-error-end') continue
    if (kind === 'comment') {
      const column = columnAt(text, offset)
      const isBehind = text.slice(offset - column, offset).trim() !== ''
      comments.push({ start: offset, text: lexeme.trimEnd(), column, isBehind })
    }
    offset += lexeme.length
  }
  return comments
}

/** The rules as they stand in the text. */
function rulesIn(text: string, root: Node): Rules {
  if (root.is === 'list') return { rules: mapsOf(root), from: 0, to: text.length }
  if (root.is !== 'map') return { rules: [], from: 0, to: 0 }
  const list = root.entries.get(words.rules.Ruleset) ?? root.entries.get(words.rules.ContractBundle)
  if (list?.value.is !== 'list') return { rules: [root], from: 0, to: text.length }
  const from = list.key.span.end
  const behind = [...root.entries.values()].map(({ key }) => key.span.start).filter((start) => start > from)
  return { rules: mapsOf(list.value), from, to: Math.min(text.length, ...behind) }
}

function mapsOf({ items }: Extract<Node, { is: 'list' }>): readonly MapNode[] {
  return items.flatMap(({ node }) => (node.is === 'map' ? [node] : []))
}

/** What stands behind something is about that; on a line of its own and no deeper than the rules, about the next. */
function ownerOf(
  comment: Comment,
  rules: readonly MapNode[],
  { next, text }: { readonly next: number; readonly text: string },
): number {
  const before = rules[next - 1]
  if (!before) return 0
  return next < rules.length && isOutside(comment, before, text) ? next : next - 1
}

function isOutside({ column, isBehind }: Comment, rule: MapNode, text: string): boolean {
  return !isBehind && column < columnOfFields(rule, text)
}

function fieldOf({ start, column, isBehind }: Comment, rule: MapNode, text: string): string {
  if (rule.isFlow) return ''
  const names = [...rule.entries].map(([name, { key }]) => ({ name, start: key.span.start }))
  const next = names.findIndex((one) => one.start > start)
  const isAbove = !isBehind && next >= 0 && column <= columnOfFields(rule, text)
  const at = isAbove ? next : (next < 0 ? names.length : next) - 1
  const { name } = names[at] ?? { name: '' }
  return at <= 0 || heads.has(name) ? '' : fieldNamed(name)
}

/** One field has two names. */
function fieldNamed(name: string): string {
  return name === words.timeoutAction.ContractBundle ? words.timeoutAction.Ruleset : name
}

function columnOfFields({ span, entries }: MapNode, text: string): number {
  const [first] = entries.values()
  return columnAt(text, first?.key.span.start ?? span.start)
}

function columnAt(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1)
}
