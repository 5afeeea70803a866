/** Finds ids that come twice. */
export type SeenIds = {
  /** The number that had this id before, if one had; `id` is 16 bytes. */
  readonly note: (id: Uint8Array, number: number) => number | undefined
}

/**
 * Ids are held in two generations of so many, so that memory stays bounded however long the log is. A table of plain
 * numbers: a map of a million texts takes ten times as long and five times as much room.
 */
export function seenIds(held: number): SeenIds {
  let recent = openTable()
  let earlier: Table | undefined
  return {
    note: (id, number) => {
      readWords(id)
      const before = recent.find() ?? earlier?.find()
      recent.put(number)
      if (recent.count() >= held) [earlier, recent] = [recent, openTable()]
      return before
    },
  }
}

type Table = {
  /** Of the id whose words were read last. */
  readonly find: () => number | undefined
  readonly put: (number: number) => void
  readonly count: () => number
}

const words = new Int32Array(4)

function readWords(id: Uint8Array): void {
  for (let word = 0; word < 4; word++) {
    const at = word * 4
    words[word] = ((id[at] ?? 0) << 24) | ((id[at + 1] ?? 0) << 16) | ((id[at + 2] ?? 0) << 8) | (id[at + 3] ?? 0)
  }
}

// Drawn anew for each process, so that nobody can write ids that all fall into one place.
const factors = globalThis.crypto.getRandomValues(new Int32Array(4))

function openTable(): Table {
  let bits = 12
  let keys = new Int32Array(4 << bits)
  /** One more than the number; zero where there is nothing. */
  let numbers = new Float64Array(1 << bits)
  let count = 0

  /** The slot of the words, or the free one where they belong. */
  const slotOf = (from: Int32Array, at: number): number => {
    let mixed = 0
    for (let word = 0; word < 4; word++)
      mixed = (mixed + Math.imul((factors[word] ?? 0) | 1, from[at + word] ?? 0)) ^ (mixed >>> 15)
    let slot = Math.imul(mixed, 0x9e3779b1) >>> (32 - bits)
    while (numbers[slot] !== 0 && !isAt(slot * 4, from, at)) slot = slot + 1 === numbers.length ? 0 : slot + 1
    return slot
  }

  const isAt = (place: number, from: Int32Array, at: number): boolean =>
    keys[place] === from[at] &&
    keys[place + 1] === from[at + 1] &&
    keys[place + 2] === from[at + 2] &&
    keys[place + 3] === from[at + 3]

  const set = (slot: number, from: Int32Array, at: number, number: number): void => {
    for (let word = 0; word < 4; word++) keys[slot * 4 + word] = from[at + word] ?? 0
    numbers[slot] = number
  }

  const grow = (): void => {
    const [oldKeys, oldNumbers] = [keys, numbers]
    bits++
    keys = new Int32Array(4 << bits)
    numbers = new Float64Array(1 << bits)
    for (let old = 0; old < oldNumbers.length; old++) {
      const number = oldNumbers[old] ?? 0
      if (number !== 0) set(slotOf(oldKeys, old * 4), oldKeys, old * 4, number)
    }
  }

  return {
    find: () => {
      const number = numbers[slotOf(words, 0)] ?? 0
      return number === 0 ? undefined : number - 1
    },
    put: (number) => {
      const slot = slotOf(words, 0)
      if (numbers[slot] === 0) count++
      set(slot, words, 0, number + 1)
      if (count * 2 > numbers.length) grow()
    },
    count: () => count,
  }
}

/** Writes the 16 bytes of a UUID that is known to be one. */
export function writeUuid(id: string, into: Uint8Array, at: number): void {
  let place = at
  for (let i = 0; i < id.length; i += 2) {
    if (id.charCodeAt(i) === 0x2d) i++
    into[place++] = (digitOf(id.charCodeAt(i)) << 4) | digitOf(id.charCodeAt(i + 1))
  }
}

const digitOf = (code: number): number => (code < 0x3a ? code - 0x30 : code - 0x57)
