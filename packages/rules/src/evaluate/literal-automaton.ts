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
 * Aho and Corasick's automaton as lists, not as a table: a row for each state and a column for each character would take
 * megabytes where a ruleset is large, and most texts leave the first state only now and then.
 */
export function buildAutomaton(literals: readonly string[]): LiteralAutomaton {
  const trie = buildTrie(literals)
  const { unit, nextSibling, firstChild, firstEnd, sameEnd } = trie
  const { suffix, ending } = closeTrie(trie)
  const { ascii, others } = rootTable(trie)

  const childOf = (state: number, wanted: number): number => {
    for (let child = firstChild[state] ?? none; child !== none; child = nextSibling[child] ?? none) {
      if (unit[child] === wanted) return child
    }
    return none
  }
  const step = (from: number, wanted: number): number => {
    let state = from
    while (state !== 0) {
      const child = childOf(state, wanted)
      if (child !== none) return child
      state = suffix[state] ?? 0
    }
    return wanted < 128 ? (ascii[wanted] ?? 0) : (others.get(wanted) ?? 0)
  }
  return {
    scan: (text, found, context) => {
      let state = 0
      let seen = 0
      for (let at = 0; at < text.length; at += 1) {
        const wanted = folded(text.charCodeAt(at))
        seen |= wanted
        state = state === 0 && wanted < 128 ? (ascii[wanted] ?? 0) : step(state, wanted)
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

/** Most characters are met in the first state, so there alone is a table. */
function rootTable({ unit, firstChild, nextSibling }: Trie): {
  readonly ascii: Int32Array
  readonly others: ReadonlyMap<number, number>
} {
  const ascii = new Int32Array(128)
  const others = new Map<number, number>()
  for (let child = firstChild[0] ?? none; child !== none; child = nextSibling[child] ?? none) {
    const wanted = unit[child] ?? 0
    if (wanted < 128) ascii[wanted] = child
    else others.set(wanted, child)
  }
  return { ascii, others }
}
