/** SHA-256 (FIPS 180-4) where Node is not: browsers have only one that answers later, which a tree cannot wait for. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const length = bytes.length
  const padded = new Uint8Array((((length + 8) >> 6) + 1) << 6)
  padded.set(bytes)
  padded[length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, Math.floor(length / 0x20000000))
  view.setUint32(padded.length - 4, (length << 3) >>> 0)
  const state = Uint32Array.from(roots(8, 1 / 2))
  for (let at = 0; at < padded.length; at += 64) compress(state, view, at)
  const out = new DataView(new ArrayBuffer(32))
  for (let i = 0; i < 8; i++) out.setUint32(i * 4, state[i] ?? 0)
  return new Uint8Array(out.buffer)
}

export function sha256Hex(bytes: Uint8Array): string {
  return Array.from(sha256(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

const constants = Uint32Array.from(roots(64, 1 / 3))
const schedule = new Uint32Array(64)

function compress(state: Uint32Array, view: DataView, at: number): void {
  const word = (i: number): number => schedule[i] ?? 0
  for (let i = 0; i < 16; i++) schedule[i] = view.getUint32(at + i * 4)
  for (let i = 16; i < 64; i++) {
    const [x, y] = [word(i - 15), word(i - 2)]
    const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)
    const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10)
    schedule[i] = word(i - 16) + s0 + word(i - 7) + s1
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let i = 0; i < 64; i++) {
    const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)
    const one = (h + s1 + ((e & f) ^ (~e & g)) + (constants[i] ?? 0) + word(i)) | 0
    const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0]
  }
  for (const [i, value] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] ?? 0) + value
}

const turn = (x: number, by: number): number => (x >>> by) | (x << (32 - by))

/** The first 32 bits of the fractional parts of the roots of the first primes, from which SHA-256 takes its constants. */
function roots(count: number, power: number): readonly number[] {
  const found: number[] = []
  for (let n = 2; found.length < count; n++) {
    let isPrime = true
    for (let by = 2; by * by <= n; by++) isPrime &&= n % by !== 0
    if (isPrime) found.push(Math.floor((n ** power % 1) * 0x100000000))
  }
  return found
}
