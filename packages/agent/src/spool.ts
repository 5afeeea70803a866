import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { SpoolOptions } from './guard-options.ts'
import type { Clock, Stop } from './host.ts'
import { adoptAbandoned, leaveFolder, ownFolder, type Segment } from './spool-owners.ts'

/** Events on disk that the server has not acknowledged. One writer; what it appended outlives it. */
export type Spool = {
  /**
   * All lines or none. When it returns, the death of the process loses none of them. Throws when it cannot. What comes
   * before an effect finds the spool full earlier, so that there is room to say how the effects under way ended.
   */
  readonly append: (lines: readonly string[], when: 'before' | 'after') => void
  /** The oldest lines that are waiting. The same again until they are said to be done. */
  readonly next: (linesMax: number) => Batch | undefined
  readonly done: (batch: Batch) => void
  readonly bytes: () => number
  readonly close: () => void
}

export type Batch = { readonly lines: readonly string[]; readonly segment: Segment; readonly end: number }

/** The spool is as full as it may be. */
class SpoolFull extends Error {
  override readonly name = 'SpoolFull'
}

type Needs = {
  /** Shared by everything that keeps its events here; each writer has a folder of its own below it. */
  readonly folder: string
  readonly options: SpoolOptions
  readonly clock: Pick<Clock, 'after'>
  /** The medium refused to keep what was written: a loss of power would lose it. */
  readonly onSyncFailed: (cause: unknown) => void
}

const segmentBytesMax = 4 * 1_048_576
const readBytesMax = 1_048_576
const syncMs = 1_000
const lineFeed = 10
const beforeShare = 0.9
const defaultBytesMax = 256 * 1_048_576

/** Opens a spool and takes over what dead processes of this machine left behind. */
export function openSpool({ folder, options, clock, onSyncFailed }: Needs): Spool {
  const { bytesMax = defaultBytesMax, fsync = 'interval' } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const own = ownFolder(folder)
  const segments: Segment[] = adoptAbandoned(folder, own)
  const buffer = Buffer.allocUnsafe(readBytesMax)
  let writing: { readonly file: number; readonly segment: Segment } | undefined
  let numbered = 0
  let isClosed = false
  let total = segments.reduce((sum, { size }) => sum + size, 0)
  let syncing: Stop | undefined

  const syncLater = (): void => {
    syncing ??= clock.after(syncMs, () => {
      syncing = undefined
      if (!writing) return
      fdatasync(writing.file, (cause) => {
        // Closed meanwhile: then it was synced when it was closed.
        if (cause && cause.code !== 'EBADF') onSyncFailed(cause)
      })
    })
  }

  const finish = (): void => {
    if (!writing) return
    const { file } = writing
    writing = undefined
    try {
      if (fsync !== 'never') fdatasyncSync(file)
    } catch (cause) {
      onSyncFailed(cause)
    }
    closeSync(file)
  }

  const writable = (bytes: number): { readonly file: number; readonly segment: Segment } => {
    if (writing && writing.segment.size + bytes > segmentBytesMax) finish()
    if (writing) return writing
    numbered += 1
    const path = join(own, `${String(numbered).padStart(9, '0')}.jsonl`)
    const segment: Segment = { path, size: 0, sent: 0 }
    writing = { file: openSync(path, 'a', 0o600), segment }
    segments.push(segment)
    return writing
  }

  /** Cuts off what was written in part; where that cannot be, the file is written no further. */
  const undo = (file: number, segment: Segment): void => {
    try {
      ftruncateSync(file, segment.size)
    } catch {
      // Only the size we remember is ever read, and the next lines go into another file.
      finish()
    }
  }

  /** In the buffer that is there already, when they fit; they are written before anything else can use it. */
  const encode = (lines: readonly string[]): { readonly bytes: Buffer; readonly length: number } => {
    let at = 0
    for (const line of lines) {
      if (at + line.length * 3 >= buffer.byteLength) {
        const bytes = Buffer.from(`${lines.join('\n')}\n`)
        return { bytes, length: bytes.byteLength }
      }
      at += buffer.write(line, at)
      buffer[at] = lineFeed
      at += 1
    }
    return { bytes: buffer, length: at }
  }

  return {
    append: (lines, when) => {
      if (isClosed) throw new Error('The spool is closed.')
      const { bytes, length } = encode(lines)
      if (total + length > (when === 'before' ? bytesMax * beforeShare : bytesMax)) {
        throw new SpoolFull(`${total} bytes of events wait to be delivered, and ${bytesMax} may.`)
      }
      const { file, segment } = writable(length)
      try {
        for (let written = 0; written < length; ) written += writeSync(file, bytes, written, length - written)
        if (fsync === 'always') fdatasyncSync(file)
      } catch (cause) {
        undo(file, segment)
        throw cause
      }
      segment.size += length
      total += length
      if (fsync === 'interval') syncLater()
    },
    next: (linesMax) => {
      const segment = segments.find(({ size, sent }) => sent < size)
      if (!segment) return undefined
      const lines: string[] = []
      const wanted = Math.min(readBytesMax, segment.size - segment.sent)
      const bytes = readAt(segment.path, buffer, segment.sent, wanted)
      let start = 0
      for (
        let end = bytes.indexOf(lineFeed);
        end !== -1 && lines.length < linesMax;
        end = bytes.indexOf(lineFeed, start)
      ) {
        if (end > start) lines.push(bytes.toString('utf8', start, end))
        start = end + 1
      }
      // The rest of a file that ends in the middle of a line was never acknowledged to anybody.
      if (start === 0) start = wanted
      return { lines, segment, end: segment.sent + start }
    },
    done: ({ segment, end }) => {
      segment.sent = end
      if (end < segment.size) return
      total -= segment.size
      if (writing?.segment === segment) {
        segment.size = 0
        segment.sent = 0
        undo(writing.file, segment)
        return
      }
      segments.splice(segments.indexOf(segment), 1)
      // Sent again after a restart it would be recognized: leaving it costs a request, not an event.
      rmSync(segment.path, { force: true })
    },
    bytes: () => total,
    close: () => {
      isClosed = true
      syncing?.()
      finish()
      leaveFolder(own)
      for (const { path, size } of segments) if (size === 0) rmSync(path, { force: true })
      if (total > 0) return
      try {
        rmdirSync(own)
      } catch {
        // Something else lies in it; the next start looks again.
      }
    },
  }
}

function readAt(path: string, buffer: Buffer, position: number, length: number): Buffer {
  const file = openSync(path, 'r')
  try {
    let read = 0
    while (read < length) {
      const count = readSync(file, buffer, read, length - read, position + read)
      if (count === 0) break
      read += count
    }
    return buffer.subarray(0, read)
  } finally {
    closeSync(file)
  }
}
