/** Finds all literals of a set in one pass over a text. */
export interface LiteralAutomaton {
  /** Calls `found` with the number of every literal that occurs, possibly more than once. */
  readonly scan: (text: string, found: (literal: number) => void) => void
}

/** Aho and Corasick's automaton as one table: a row for each state, a column for each character that occurs in a literal. */
export function buildAutomaton(literals: readonly string[]): LiteralAutomaton {
  const columns = columnsOf(literals)
  const width = columns.count
  const size = literals.reduce((sum, literal) => sum + literal.length, 1)
  const next = new Int32Array(size * width).fill(-1)
  // Literals that end in a state are a list through `sameEnd`; `shorter` leads to the next state with one.
  const firstEnd = new Int32Array(size).fill(-1)
  const sameEnd = new Int32Array(literals.length).fill(-1)
  const shorter = new Int32Array(size).fill(-1)
  let states = 1
  for (const [number, literal] of literals.entries()) {
    let state = 0
    for (let at = 0; at < literal.length; at += 1) {
      const cell = state * width + columns.of(literal.charCodeAt(at))
      const known = next[cell] ?? -1
      if (known === -1) {
        next[cell] = states
        state = states
        states += 1
      } else state = known
    }
    sameEnd[number] = firstEnd[state] ?? -1
    firstEnd[state] = number
  }
  closeTable(next, width, states, firstEnd, shorter)
  return {
    scan: (text, found) => {
      let state = 0
      for (let at = 0; at < text.length; at += 1) {
        state = next[state * width + columns.of(text.charCodeAt(at))] ?? 0
        let ending = (firstEnd[state] ?? -1) === -1 ? (shorter[state] ?? -1) : state
        while (ending !== -1) {
          for (let literal = firstEnd[ending] ?? -1; literal !== -1; literal = sameEnd[literal] ?? -1) found(literal)
          ending = shorter[ending] ?? -1
        }
      }
    },
  }
}

/** Breadth first: every missing step becomes the step of the longest suffix that is a state, so a scan never goes back. */
function closeTable(next: Int32Array, width: number, states: number, firstEnd: Int32Array, shorter: Int32Array): void {
  const suffix = new Int32Array(states)
  const queue = new Int32Array(states)
  let head = 0
  let tail = 1
  while (head < tail) {
    const state = queue[head] ?? 0
    head += 1
    const fallback = suffix[state] ?? 0
    shorter[state] = state === 0 ? -1 : (firstEnd[fallback] ?? -1) === -1 ? (shorter[fallback] ?? -1) : fallback
    for (let column = 0; column < width; column += 1) {
      const cell = state * width + column
      const target = next[cell] ?? -1
      const other = state === 0 ? 0 : (next[fallback * width + column] ?? 0)
      if (target === -1) next[cell] = other
      else {
        suffix[target] = other
        queue[tail] = target
        tail += 1
      }
    }
  }
}

interface Columns {
  readonly count: number
  /** Column 0 is every character that no literal has. */
  readonly of: (unit: number) => number
}

function columnsOf(literals: readonly string[]): Columns {
  const ascii = new Uint16Array(128)
  const others = new Map<number, number>()
  let count = 1
  for (const literal of literals) {
    for (let at = 0; at < literal.length; at += 1) {
      const unit = literal.charCodeAt(at)
      if (unit < 128 ? ascii[unit] !== 0 : others.has(unit)) continue
      if (unit < 128) ascii[unit] = count
      else others.set(unit, count)
      count += 1
    }
  }
  return { count, of: (unit) => (unit < 128 ? (ascii[unit] ?? 0) : (others.get(unit) ?? 0)) }
}
