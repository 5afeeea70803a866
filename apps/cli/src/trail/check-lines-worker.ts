import { parentPort } from 'node:worker_threads'
import { checkLines } from './check-lines.ts'

parentPort?.on('message', ({ place, piece }: { readonly place: number; readonly piece: Uint8Array }) => {
  const checked = checkLines(Buffer.from(piece.buffer, piece.byteOffset, piece.length))
  const { kinds, numbers, hashes, ids } = checked
  parentPort?.postMessage({ place, checked }, [kinds.buffer, numbers.buffer, hashes.buffer, ids.buffer])
})
