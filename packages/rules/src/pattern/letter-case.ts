type Range = readonly [number, number]

/** Letters that Python takes for the same under `(?i)` although neither is the other's lower case. */
const related: readonly (readonly number[])[] = [
  [0x69, 0x131],
  [0x73, 0x17f],
  [0xb5, 0x3bc],
  [0x345, 0x3b9, 0x1fbe],
  [0x390, 0x1fd3],
  [0x3b0, 0x1fe3],
  [0x3b2, 0x3d0],
  [0x3b5, 0x3f5],
  [0x3b8, 0x3d1],
  [0x3ba, 0x3f0],
  [0x3c0, 0x3d6],
  [0x3c1, 0x3f1],
  [0x3c2, 0x3c3],
  [0x3c6, 0x3d5],
  [0x432, 0x1c80],
  [0x434, 0x1c81],
  [0x43e, 0x1c82],
  [0x441, 0x1c83],
  [0x442, 0x1c84, 0x1c85],
  [0x44a, 0x1c86],
  [0x463, 0x1c87],
  [0x1e61, 0x1e9b],
  [0xa64b, 0x1c88],
  [0xfb05, 0xfb06],
]

/** Lower-case letter (or the first of its relatives) to everything that is the same as it. */
let families: ReadonlyMap<number, readonly number[]> | undefined

/** The ranges with every letter that differs from one of theirs only in case. */
export function withOtherCase(ranges: readonly Range[], isAscii: boolean): readonly Range[] {
  const added: Range[] = []
  if (isAscii) {
    for (const [low, high] of ranges) {
      for (let point = low; point <= Math.min(high, 127); point += 1) addAsciiOnly(point, added)
    }
  } else if (ranges.every(([, high]) => high < 128)) {
    for (const [low, high] of ranges) for (let point = low; point <= high; point += 1) addAscii(point, added)
  } else {
    for (const family of letterFamilies().values()) {
      if (family.some((point) => ranges.some(([low, high]) => point >= low && point <= high))) {
        for (const point of family) added.push([point, point])
      }
    }
  }
  return merged([...ranges, ...added])
}

function addAsciiOnly(point: number, added: Range[]): void {
  const lower = point | 0x20
  if (lower >= 97 && lower <= 122) added.push([lower, lower], [lower - 32, lower - 32])
}

function addAscii(point: number, added: Range[]): void {
  const lower = point | 0x20
  if (lower < 97 || lower > 122) return
  addAsciiOnly(point, added)
  if (lower === 0x69) added.push([0x130, 0x131])
  if (lower === 0x6b) added.push([0x212a, 0x212a])
  if (lower === 0x73) added.push([0x17f, 0x17f])
}

export function isSameLetter(a: number, b: number): boolean {
  if (a === b) return true
  return keyOf(a) === keyOf(b)
}

/** Walks all letters once, on the first pattern that asks for case beyond ASCII (some 50 ms). */
function letterFamilies(): ReadonlyMap<number, readonly number[]> {
  if (families) return families
  const made = new Map<number, number[]>()
  const cased = /[\p{Lu}\p{Ll}\p{Lt}\p{Changes_When_Casemapped}]/u
  for (let point = 0x41; point < 0x1f000; point += 1) {
    if (point >= 0x3400 && point < 0xa000) continue
    if (point >= 0xac00 && point < 0xf000) continue
    if (!cased.test(String.fromCodePoint(point))) continue
    const key = keyOf(point)
    const family = made.get(key)
    if (family) family.push(point)
    else made.set(key, [point])
  }
  families = made
  return made
}

function keyOf(point: number): number {
  const lower = lowerOf(point)
  return related.find((family) => family.includes(lower))?.[0] ?? lower
}

/** One letter to one letter, as Python's engine does. */
function lowerOf(point: number): number {
  if (point === 0x130) return 0x69
  const lower = String.fromCodePoint(point).toLowerCase()
  const first = lower.codePointAt(0) ?? point
  return String.fromCodePoint(first).length === lower.length ? first : point
}

export function merged(ranges: readonly Range[]): readonly Range[] {
  const made: [number, number][] = []
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = made.at(-1)
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high)
    else made.push([low, high])
  }
  return made
}
