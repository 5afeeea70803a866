/** Finds all literals of a set in one pass over a text, whatever the case of its ASCII letters. */
export interface LiteralAutomaton {
  /**
   * Calls `found` with the number of every literal that occurs, possibly more than once, and with `context`. Answers
   * whether the text is ASCII throughout.
   */
  readonly scan: <Context>(
    text: string,
    found: (literal: number, context: Context) => void,
    context: Context,
  ) => boolean
}

const none = -1

/**
 * Aho and Corasick's automaton. The first state and those one character in, where nearly all of a text is spent, have a
 * table of where each ASCII character leads; all others are lists, since a table for each of them would take megabytes
 * where a ruleset is large.
 */
export function buildAutomaton(literals: readonly string[]): LiteralAutomaton {
  const trie = buildTrie(literals)
  const { unit, nextSibling, firstChild, firstEnd, sameEnd } = trie
  const { suffix, ending } = closeTrie(trie)
  const others = rootBeyondAscii(trie)

  const step = (from: number, wanted: number): number => {
    let state = from
    for (;;) {
      for (let child = firstChild[state] ?? none; child !== none; child = nextSibling[child] ?? none) {
        if (unit[child] === wanted) return child
      }
      if (state === 0) return 0
      state = suffix[state] ?? 0
      if (state === 0 && wanted >= 128) return others.get(wanted) ?? 0
    }
  }
  const { rowOf, table } = buildTable(trie, step)
  return {
    scan: (text, found, context) => {
      const { length } = text
      let state = 0
      let seen = 0
      for (let at = 0; at < length; at += 1) {
        const given = text.charCodeAt(at)
        seen |= given
        const row = rowOf[state] ?? none
        state = row !== none && given < 128 ? (table[row + given] ?? 0) : step(state, folded(given))
        if (state === 0) continue
        for (let end = ending[state] ?? none; end !== none; end = ending[suffix[end] ?? 0] ?? none) {
          for (let one = firstEnd[end] ?? none; one !== none; one = sameEnd[one] ?? none) found(one, context)
        }
      }
      return seen < 128
    },
  }
}

/** ASCII letters in lower case, everything else as it is. */
function folded(unit: number): number {
  return unit >= 0x41 && unit <= 0x5a ? unit + 0x20 : unit
}

interface Trie {
  readonly states: number
  /** The character that leads into a state. */
  readonly unit: Uint16Array
  readonly firstChild: Int32Array
  readonly nextSibling: Int32Array
  readonly parent: Int32Array
  /** Literals that end in a state are a list through `sameEnd`. */
  readonly firstEnd: Int32Array
  readonly sameEnd: Int32Array
}

function buildTrie(literals: readonly string[]): Trie {
  const size = literals.reduce((sum, literal) => sum + literal.length, 1)
  const list = (length: number): Int32Array => new Int32Array(length).fill(none)
  const unit = new Uint16Array(size)
  const [firstChild, nextSibling, firstEnd] = [list(size), list(size), list(size)]
  const parent = new Int32Array(size)
  const sameEnd = list(literals.length)
  let states = 1
  for (const [number, literal] of literals.entries()) {
    let state = 0
    for (let at = 0; at < literal.length; at += 1) {
      const wanted = folded(literal.charCodeAt(at))
      let child = firstChild[state] ?? none
      while (child !== none && unit[child] !== wanted) child = nextSibling[child] ?? none
      if (child === none) {
        child = states
        states += 1
        unit[child] = wanted
        parent[child] = state
        nextSibling[child] = firstChild[state] ?? none
        firstChild[state] = child
      }
      state = child
    }
    sameEnd[number] = firstEnd[state] ?? none
    firstEnd[state] = number
  }
  return { states, unit, firstChild, nextSibling, parent, firstEnd, sameEnd }
}

/** Breadth first: where to go on when a character has no state of its own, and the nearest state in which something ends. */
function closeTrie({ states, unit, firstChild, nextSibling, parent, firstEnd }: Trie): {
  readonly suffix: Int32Array
  /** Itself when a literal ends there, else the longest suffix that is one, else none. */
  readonly ending: Int32Array
} {
  const suffix = new Int32Array(states)
  const ending = new Int32Array(states).fill(none)
  const queue = new Int32Array(states)
  let tail = 1
  for (let head = 0; head < tail; head += 1) {
    const state = queue[head] ?? 0
    if (state !== 0) {
      let from = parent[state] ?? 0
      let target = 0
      while (from !== 0 && target === 0) {
        from = suffix[from] ?? 0
        let child = firstChild[from] ?? none
        while (child !== none && unit[child] !== unit[state]) child = nextSibling[child] ?? none
        if (child !== none) target = child
      }
      suffix[state] = target
      ending[state] = (firstEnd[state] ?? none) === none ? (ending[target] ?? none) : state
    }
    for (let child = firstChild[state] ?? none; child !== none; child = nextSibling[child] ?? none) {
      queue[tail] = child
      tail += 1
    }
  }
  return { suffix, ending }
}

function rootBeyondAscii({ unit, firstChild, nextSibling }: Trie): ReadonlyMap<number, number> {
  const others = new Map<number, number>()
  for (let child = firstChild[0] ?? none; child !== none; child = nextSibling[child] ?? none) {
    const wanted = unit[child] ?? 0
    if (wanted >= 128) others.set(wanted, child)
  }
  return others
}

/** Rows for the first state and those an ASCII character leads to from it: at most 129 of 128 each. */
function buildTable(
  { states, unit, firstChild, nextSibling }: Trie,
  step: (from: number, wanted: number) => number,
): { readonly rowOf: Int32Array; readonly table: Int32Array } {
  const near = [0]
  for (let child = firstChild[0] ?? none; child !== none; child = nextSibling[child] ?? none) {
    if ((unit[child] ?? 0) < 128) near.push(child)
  }
  const rowOf = new Int32Array(states).fill(none)
  const table = new Int32Array(near.length * 128)
  for (const [index, state] of near.entries()) {
    rowOf[state] = index * 128
    for (let given = 0; given < 128; given += 1) table[index * 128 + given] = step(state, folded(given))
  }
  return { rowOf, table }
}
