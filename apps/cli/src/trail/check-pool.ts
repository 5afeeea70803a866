import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type CheckedLines, checkLines } from './check-lines.ts'

export type CheckPool = {
  /** Checks a piece, in another thread when there are any. The piece is given away. */
  readonly check: (piece: Buffer) => Promise<CheckedLines>
  /** How many pieces may be under way at once. */
  readonly width: number
  readonly close: () => Promise<void>
}

type Waiting = { readonly resolve: (checked: CheckedLines) => void; readonly reject: (cause: unknown) => void }

/** Starting a thread costs as much as checking some thousand entries. */
const worthwhileBytes = 16 << 20

export function openCheckPool(bytes: number, macSecrets: readonly Uint8Array[] = []): CheckPool {
  const threads = bytes < worthwhileBytes ? 0 : Math.min(availableParallelism(), 8)
  if (threads === 0)
    return { check: async (piece) => checkLines(piece, macSecrets), width: 1, close: async () => undefined }
  const waiting = new Map<number, Waiting>()
  let next = 0
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL('./check-lines-worker.ts', import.meta.url), { workerData: { macSecrets } })
    worker.on('message', ({ place, checked }: { readonly place: number; readonly checked: CheckedLines }) => {
      waiting.get(place)?.resolve(checked)
      waiting.delete(place)
    })
    worker.on('error', (cause) => {
      for (const { reject } of waiting.values()) reject(cause)
      waiting.clear()
    })
    return worker
  })
  return {
    check: (piece) =>
      new Promise((resolve, reject) => {
        const place = next++
        waiting.set(place, { resolve, reject })
        // A copy of its own, since a Buffer may be part of a larger one that others still read.
        const given = new Uint8Array(piece)
        workers[place % threads]?.postMessage({ place, piece: given }, [given.buffer])
      }),
    width: threads * 2,
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}
