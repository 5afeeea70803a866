import { writeUuid } from '@countersign/trail'
import { isId } from '../../kernel/ids.ts'

// Arrays as PostgreSQL's own binary form (what array_recv reads): the driver would write them as text, quote by quote and
// byte by byte, which costs as much again as making and hashing the entries. The statement names their types.

const oids = { bytea: 17, text: 25, timestamptz: 1184, uuid: 2950 }
const headBytes = 20
/** Where PostgreSQL's time begins: 2000-01-01. */
const epochMs = 946_684_800_000

export function textArray(values: readonly (string | null)[]): Buffer {
  // No unit of UTF-16 takes more than three bytes.
  const bytesMax = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0) * 3, headBytes)
  const array = startArray(oids.text, values.length, bytesMax)
  let at = headBytes
  for (const value of values) {
    const length = value === null ? -1 : array.write(value, at + 4)
    array.writeInt32BE(length, at)
    at += 4 + Math.max(0, length)
  }
  return array.subarray(0, at)
}

export function byteaArray(values: readonly (Uint8Array | null)[]): Buffer {
  const bytes = values.reduce((sum, value) => sum + 4 + (value?.length ?? 0), headBytes)
  const array = startArray(oids.bytea, values.length, bytes)
  let at = headBytes
  for (const value of values) {
    array.writeInt32BE(value?.length ?? -1, at)
    if (value) array.set(value, at + 4)
    at += 4 + (value?.length ?? 0)
  }
  return array
}

/** Ids as their 16 bytes: PostgreSQL takes long over reading them as text. */
export function uuidArray(values: readonly (string | null)[]): Buffer {
  const array = startArray(oids.uuid, values.length, headBytes + values.length * 20)
  let at = headBytes
  for (const value of values) {
    array.writeInt32BE(value === null ? -1 : 16, at)
    at += 4
    if (value === null) continue
    if (!isId(value)) throw new RangeError('An id that is no UUID cannot be stored as one.')
    writeUuid(value, array, at)
    at += 16
  }
  return array.subarray(0, at)
}

export function timeArray(values: readonly Date[]): Buffer {
  const array = startArray(oids.timestamptz, values.length, headBytes + values.length * 12)
  for (const [place, value] of values.entries()) {
    const at = headBytes + place * 12
    array.writeInt32BE(8, at)
    array.writeBigInt64BE(BigInt(value.getTime() - epochMs) * 1000n, at + 4)
  }
  return array
}

/** One dimension, nulls allowed, counted from 1. */
function startArray(oid: number, length: number, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(bytes)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(1, 4)
  array.writeInt32BE(oid, 8)
  array.writeInt32BE(length, 12)
  array.writeInt32BE(1, 16)
  return array
}
