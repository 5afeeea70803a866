import {
  hiddenLeaf,
  leafHash,
  type NoteVerifier,
  type RecordedEntry,
  type RecordedHead,
  readBundle,
  readTile,
  startVerification,
  tilePath,
  tileWidth,
} from '@countersign/trail'
import { openTrusted } from './given-heads.ts'
import { faultsMax, makeReport, type Report } from './report.ts'

type Where = { readonly server: string; readonly token: string | undefined; readonly key: NoteVerifier | undefined }

/** Bundles asked for at once. */
const width = 8
const secondsMax = 30

/**
 * Verifies a log over the network, trusting only the key. With a token that may read the trail it sees the bytes of its
 * tenant's entries; without one, what everybody may: the hashes.
 */
export async function verifyServer({ server, token, key }: Where, heads: readonly RecordedHead[]): Promise<Report> {
  if (key === undefined) throw new Error('Give --key: without a key you trust, a server can show any log.')
  const address = new URL(server.endsWith('/') ? server : `${server}/`)
  const note = new TextDecoder().decode(await fetchBytes(new URL('trail/checkpoint', address), undefined))
  const { size, root, origin } = openTrusted(note, key)
  const checkpoint = { size, root, by: `The checkpoint of ${origin}` }
  const verifier = startVerification({ heads: [...heads, checkpoint], faultsMax })
  const read = async (index: number): Promise<readonly RecordedEntry[]> => {
    const level = token === undefined ? 0 : 'entries'
    const place = { level, index, width: Math.min(tileWidth, size - index * tileWidth) } as const
    const bytes = await fetchBytes(new URL(`trail/${tilePath(place)}`, address), token)
    const records = token === undefined ? readTile(bytes) : readBundle(bytes)
    if (records.length !== place.width) throw new Error(`${address.host} answered a tile of the wrong width.`)
    return records.map((record, i) => entryOf(index * tileWidth + i, record, token !== undefined))
  }
  const tiles = Math.ceil(size / tileWidth)
  for (let first = 0; first < tiles; first += width) {
    const some = Array.from({ length: Math.min(width, tiles - first) }, (_, i) => read(first + i))
    for (const entries of await Promise.all(some)) for (const entry of entries) verifier.add(entry)
  }
  const found = verifier.finish()
  return makeReport(found, { others: [], otherCount: 0, headsGiven: heads.length + 1, waiting: 0 })
}

function entryOf(number: number, record: Uint8Array, isBundle: boolean): RecordedEntry {
  const hidden = isBundle ? hiddenLeaf(record) : record
  if (hidden) return { number, bytes: null, leafHash: hidden }
  return { number, bytes: record, leafHash: leafHash(record) }
}

async function fetchBytes(url: URL, token: string | undefined): Promise<Uint8Array> {
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(secondsMax * 1000),
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  }).catch((cause: unknown) => {
    throw new Error(`${url.href} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  })
  if (!response.ok) throw new Error(`${url.href} answered ${response.status}: ${(await response.text()).slice(0, 300)}`)
  return new Uint8Array(await response.arrayBuffer())
}
