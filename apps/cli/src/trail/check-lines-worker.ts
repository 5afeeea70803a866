import { parentPort, workerData } from 'node:worker_threads'
import { checkLines } from './check-lines.ts'

const { macSecrets }: { readonly macSecrets: readonly Uint8Array[] } = workerData

parentPort?.on('message', ({ place, piece }: { readonly place: number; readonly piece: Uint8Array }) => {
  const checked = checkLines(Buffer.from(piece.buffer, piece.byteOffset, piece.length), macSecrets)
  const { kinds, numbers, hashes, ids } = checked
  parentPort?.postMessage({ place, checked }, [kinds.buffer, numbers.buffer, hashes.buffer, ids.buffer])
})
