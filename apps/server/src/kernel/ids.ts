const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function isId(text: string): boolean {
  return pattern.test(text)
}

const randomBytes = 10

/**
 * Makes ids that sort by the time they were made, also within one millisecond of one process: the 12 bits after the
 * version count up from a random start (RFC 9562 §6.2, method 1).
 */
export function idMaker(now: () => Date): () => string {
  let last = 0
  let counter = 0
  const pool = new Uint8Array(randomBytes * 256)
  let used = pool.length
  // Drawn many at once, since asking costs more than the bytes. Each is used once.
  const freshBytes = (): Uint8Array => {
    if (used === pool.length) {
      globalThis.crypto.getRandomValues(pool)
      used = 0
    }
    used += randomBytes
    return pool.subarray(used - randomBytes, used)
  }
  return () => {
    const random = freshBytes()
    const at = now().getTime()
    if (at > last) {
      last = at
      counter = (((random[0] ?? 0) & 0x07) << 8) | (random[1] ?? 0)
    } else {
      counter += 1
      if (counter > 0xfff) {
        last += 1
        counter = 0
      }
    }
    const time = last.toString(16).padStart(12, '0')
    const count = counter.toString(16).padStart(3, '0')
    random[2] = ((random[2] ?? 0) & 0x3f) | 0x80
    const rest = Buffer.from(random.buffer, random.byteOffset + 2, 8).toString('hex')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${rest.slice(0, 4)}-${rest.slice(4)}`
  }
}
