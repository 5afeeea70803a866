import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { hexOf, NotAnExport, readExportLine, startVerification, treeRoot } from '@countersign/trail'
import { sha256Hex } from '../../../server/src/kernel/crypto.ts'
import { checkLines, lineKinds } from './check-lines.ts'

/** An archive of removed entries, recomputed from its bytes. */
export type ReadArchive = {
  readonly path: string
  /** Of the file as it lies there, as the stub names it. */
  readonly sha256: string
  readonly first: number
  readonly last: number
  /** The tree over the leaf hashes computed from the entries, as if there were no others. */
  readonly root: string
  /** What is wrong with it by itself. */
  readonly faults: readonly string[]
}

const bytesMax = 200_000_000
const lineEnd = 0x0a

/** Archives as they were downloaded: files, or folders with them anywhere below. */
export async function readArchives(paths: readonly string[]): Promise<readonly ReadArchive[]> {
  const files: string[] = []
  for (const path of paths) files.push(...(await filesIn(path)))
  const read: ReadArchive[] = []
  for (const file of files) read.push(readArchive(file, await readFile(file)))
  return read
}

async function filesIn(path: string): Promise<readonly string[]> {
  if (!(await stat(path)).isDirectory()) return [path]
  const found = await readdir(path, { recursive: true, withFileTypes: true })
  const files = found
    .filter((one) => one.isFile() && /\.jsonl(?:\.gz)?$/.test(one.name))
    .map((one) => join(one.parentPath, one.name))
    .toSorted()
  if (files.length === 0) {
    throw new Error(`There are no archives in ${path}. They are named like 0000000000000000-0000000000000511.jsonl.gz.`)
  }
  return files
}

function readArchive(path: string, bytes: Buffer): ReadArchive {
  const sha256 = sha256Hex(bytes)
  const text = unpacked(path, bytes)
  const end = text.indexOf(lineEnd)
  const head = readHead(path, text.subarray(0, end < 0 ? text.length : end))
  const verifier = startVerification({ from: head, faultsMax: 20 })
  const leaves: Uint8Array[] = []
  const { kinds, numbers, hashes, faults, unreadable } = checkLines(text.subarray(end < 0 ? text.length : end + 1))
  const faultsAt = new Map(faults)
  const others = unreadable.map(([place, why]) => `Line ${place + 2} was changed: ${why}`)
  let size = head.size
  for (const [place, kind] of kinds.entries()) {
    const [number, hash] = [numbers[place] ?? 0, hashes.subarray(place * 32, place * 32 + 32)]
    if (kind === lineKinds.head) verifier.expectHeads([{ size: number, root: hash, by: 'The head in the archive' }])
    else if (kind === lineKinds.entry || kind === lineKinds.nameless) {
      verifier.addChecked({ number, leaf: hash, id: undefined, isShown: true, faults: faultsAt.get(place) ?? [] })
      leaves.push(hash)
      size = number + 1
    } else if (kind !== lineKinds.unreadable) others.push(`Line ${place + 2} has no place in an archive.`)
  }
  const found = verifier.finish()
  return {
    path,
    sha256,
    first: head.size,
    last: size - 1,
    root: hexOf(treeRoot(leaves)),
    faults: [...found.faults.map(({ says }) => says), ...others].slice(0, 20),
  }
}

function unpacked(path: string, bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: bytesMax })
  } catch (cause) {
    throw new Error(`${path} cannot be unpacked: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

function readHead(path: string, line: Uint8Array) {
  try {
    const read = readExportLine(line)
    if (read.is === 'log') return read.from
    throw new NotAnExport('Its first line does not tell where it begins.')
  } catch (cause) {
    if (!(cause instanceof NotAnExport)) throw cause
    throw new Error(`${path} is not an archive of a trail: ${cause.message}`, { cause })
  }
}
