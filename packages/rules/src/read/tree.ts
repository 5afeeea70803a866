import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  type YAMLMap,
  type YAMLSeq,
  type Scalar as YamlScalar,
} from 'yaml'
import { type Findings, quote, type Span, step } from '../diagnostic.ts'
import type { Limits } from '../limits.ts'
import { lintScalar } from './lint-scalar.ts'
import { tooManyNodes } from './yaml-syntax.ts'

/**
 * The document as plain nodes with positions: aliases followed, keys unique strings. Shared nodes stay shared, so a
 * document is never larger here than in its file, and `size` says how large it would be written out.
 */
export type Node = ScalarNode | MapNode | ListNode

interface Common {
  readonly span: Span
  readonly size: number
  /** Set when the node itself carries an anchor: editing it would edit every place that names it. */
  readonly anchor?: Span
}

export interface ScalarNode extends Common {
  readonly is: 'scalar'
  readonly value: string | number | boolean | null
  readonly isPlain: boolean
}

export interface Entry {
  readonly key: ScalarNode
  readonly value: Node
  /** Where the alias stands that gave the value. */
  readonly alias?: Span
}

export interface MapNode extends Common {
  readonly is: 'map'
  /** A Map, so that a key such as `__proto__` is a key like any other. */
  readonly entries: ReadonlyMap<string, Entry>
  readonly isFlow: boolean
}

export interface Item {
  readonly node: Node
  readonly alias?: Span
}

export interface ListNode extends Common {
  readonly is: 'list'
  readonly items: readonly Item[]
  readonly isFlow: boolean
}

/** Thrown to leave the walk once the document has proven too large. */
const tooLarge = new Error('too large')

interface Walk {
  readonly limits: Limits
  readonly findings: Findings
  /** A node that is still being read has no value yet: an alias to it would be a cycle. */
  readonly anchors: Map<string, Node | undefined>
  readonly text: string
}

export function buildTree(
  document: Document.Parsed,
  text: string,
  limits: Limits,
  findings: Findings,
): Node | undefined {
  if (document.contents === null) return undefined
  try {
    return build(document.contents, '', {
      limits,
      findings,
      anchors: new Map(),
      text,
    })
  } catch (cause) {
    if (cause !== tooLarge) throw cause
    return undefined
  }
}

function build(node: unknown, path: string, walk: Walk): Node {
  const anchor = anchorOf(node)
  if (anchor !== undefined) walk.anchors.set(anchor, undefined)
  const built = buildBare(node, path, walk)
  const size = built.size
  if (size > walk.limits.nodes) {
    walk.findings.error({
      ...tooManyNodes(built.span.start, walk.limits),
      path,
    })
    throw tooLarge
  }
  if (anchor === undefined) return built
  const anchored = {
    ...built,
    anchor: anchorSpan(built.span, anchor, walk.text),
  }
  walk.anchors.set(anchor, anchored)
  return anchored
}

function buildBare(node: unknown, path: string, walk: Walk): Node {
  if (isMap(node)) return buildMap(node, path, walk)
  if (isSeq(node)) return buildList(node, path, walk)
  if (isScalar(node)) return buildScalar(node, path, walk)
  return {
    is: 'scalar',
    value: null,
    isPlain: true,
    span: { start: 0, end: 0 },
    size: 1,
  }
}

function buildScalar(scalar: YamlScalar, path: string, walk: Walk): ScalarNode {
  const span = spanOf(scalar)
  const isPlain = scalar.type === 'PLAIN'
  const value = readValue(scalar.value)
  if (value === undefined) {
    walk.findings.error({
      code: 'yaml.number',
      at: span,
      path,
      message: `${quote(String(scalar.source ?? ''))} is not a finite number.`,
      hint: 'Write a plain decimal number, or quote the value to make it a string.',
    })
    return { is: 'scalar', value: 0, isPlain, span, size: 1 }
  }
  if (isPlain && scalar.source !== undefined) lintScalar(scalar.source, value, span, path, walk.findings)
  return { is: 'scalar', value, isPlain, span, size: 1 }
}

function readValue(value: unknown): string | number | boolean | null | undefined {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined
}

function buildList(list: YAMLSeq, path: string, walk: Walk): ListNode {
  const items: Item[] = []
  let size = 1
  list.items.forEach((child, index) => {
    const item = follow(child, step(path, index), walk)
    size += item.node.size
    items.push(item)
    stopWhenTooLarge(size, item.alias ?? item.node.span, path, walk)
  })
  return {
    is: 'list',
    items,
    isFlow: list.flow === true,
    span: spanOf(list),
    size,
  }
}

function buildMap(map: YAMLMap, path: string, walk: Walk): MapNode {
  const entries = new Map<string, Entry>()
  let size = 1
  for (const pair of map.items) {
    const key = readKey(pair, path, walk)
    if (!key) continue
    const name = String(key.value)
    const value = follow(pair.value, step(path, name), walk)
    // An empty value has no place of its own; it stands behind its key.
    const node = pair.value === null ? { ...value.node, span: { start: key.span.end, end: key.span.end } } : value.node
    size += 1 + node.size
    stopWhenTooLarge(size, value.alias ?? node.span, path, walk)
    if (entries.has(name)) {
      walk.findings.error({
        code: 'yaml.parse',
        at: key.span,
        path: step(path, name),
        message: `Cannot parse the YAML: duplicate key ${quote(name)} in one mapping.`,
        hint: 'Remove one of them; readers do not agree which one counts.',
      })
      continue
    }
    entries.set(name, {
      key,
      value: node,
      ...(value.alias ? { alias: value.alias } : {}),
    })
  }
  if (map.items.length > walk.limits.keysPerMapping) {
    walk.findings.error({
      code: 'yaml.keys',
      at: spanOf(map),
      path,
      message: `This mapping has ${map.items.length} keys, at most ${walk.limits.keysPerMapping} are accepted.`,
      hint: 'Split the document.',
    })
    throw tooLarge
  }
  return {
    is: 'map',
    entries,
    isFlow: map.flow === true,
    span: spanOf(map),
    size,
  }
}

function readKey(pair: Pair, path: string, walk: Walk): ScalarNode | undefined {
  const { key } = pair
  const refuse = (code: string, message: string, hint: string): undefined => {
    walk.findings.error({
      code,
      at: spanOf(key ?? pair.value),
      path,
      message,
      hint,
    })
  }
  if (!isScalar(key)) {
    return refuse(
      'yaml.key',
      'A key must be a plain string, not a collection, an alias or nothing.',
      'Write the key out.',
    )
  }
  if (key.value === '<<' && key.type === 'PLAIN') {
    return refuse('yaml.merge', 'Merge keys (<<) are not allowed: SDKs read them differently.', 'Write the keys out.')
  }
  if (typeof key.value !== 'string') {
    const shown = quote(String(key.source ?? key.value ?? ''))
    return refuse('yaml.key', `The key ${shown} is not a string.`, 'Put the key in quotes.')
  }
  if (key.value.length > walk.limits.keyCharacters) {
    const message = `A key has ${key.value.length} characters, at most ${walk.limits.keyCharacters} are accepted.`
    return refuse('yaml.key_length', message, 'Shorten the key.')
  }
  const node = build(key, step(path, key.value), walk)
  return node.is === 'scalar' ? node : undefined
}

function follow(child: unknown, path: string, walk: Walk): Item {
  if (!isAlias(child)) return { node: build(child, path, walk) }
  const span = spanOf(child)
  const target = walk.anchors.get(child.source)
  if (target) return { node: target, alias: span }
  const isOpen = walk.anchors.has(child.source)
  walk.findings.error({
    code: 'yaml.parse',
    at: span,
    path,
    message: isOpen
      ? `Cannot parse the YAML: the alias *${child.source} refers to a value that contains it.`
      : `Cannot parse the YAML: the alias *${child.source} has no anchor above it.`,
    hint: 'Write the value out.',
  })
  return {
    node: { is: 'scalar', value: null, isPlain: true, span, size: 1 },
    alias: span,
  }
}

function stopWhenTooLarge(size: number, at: Span, path: string, walk: Walk): void {
  if (size <= walk.limits.nodes) return
  walk.findings.error({ ...tooManyNodes(at.start, walk.limits), at, path })
  throw tooLarge
}

function anchorOf(node: unknown): string | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined
}

/** The library keeps no position for an anchor; it stands directly before its node, but for blanks and comments. */
function anchorSpan(span: Span, name: string, text: string): Span {
  const start = text.lastIndexOf(`&${name}`, span.start)
  return start === -1 ? span : { start, end: start + name.length + 1 }
}

function spanOf(node: unknown): Span {
  if (isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)) {
    const range = node.range
    if (range) return { start: range[0], end: range[1] }
  }
  return { start: 0, end: 0 }
}
