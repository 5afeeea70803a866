import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Anchor, anchorBytes, anchorKeys, isAnchorKey, NotAnAnchor, readAnchor } from './anchor.ts'
import { checkpointText } from './checkpoint.ts'
import { hexOf } from './export-line.ts'
import { type NoteSigner, signNote, verifierOf } from './note-key.ts'
import { sha256 } from './sha256.ts'
import { type AnchorFile, verifyAnchors } from './verify-anchors.ts'

const signer: NoteSigner = { name: 'countersign.example.com/trail', seed: new Uint8Array(32).fill(7) }
const verifier = verifierOf(signer)
const chainId = 'production'

/** Anchor `n` covers three entries. */
function chainOf(count: number, by: NoteSigner = signer): readonly AnchorFile[] {
  const files: AnchorFile[] = []
  for (let n = 0; n < count; n += 1) {
    const at = new Date(Date.UTC(2026, 2, 5, n))
    const root = sha256(Buffer.from(`root ${n}`))
    const size = (n + 1) * 3
    const last = files.at(-1)
    const anchor: Anchor = {
      version: 2,
      chain_id: chainId,
      sequence: n,
      first_seq: n * 3,
      last_seq: size - 1,
      count: 3,
      root: hexOf(root),
      checkpoint: signNote(checkpointText({ origin: by.name, size, root, extensions: [] }), by),
      prev_anchor_key: last?.key ?? null,
      prev_anchor_sha256: last ? hexOf(sha256(last.bytes)) : null,
      created_at: at.toISOString(),
    }
    files.push({ key: anchorKeys(chainId, at)[0] ?? '', bytes: anchorBytes(anchor, by) })
  }
  return files
}

const check = (files: Iterable<AnchorFile>) => verifyAnchors(files, { chainId, verifier })
const kinds = (files: Iterable<AnchorFile>) => check(files).faults.map(({ is }) => is)

test('a chain as it was written passes in any order, and says what the log was at each anchor', () => {
  const found = check(chainOf(30).toReversed())
  expect(found).toMatchObject({ ok: true, anchors: 30, last: { sequence: 29, size: 90 } })
  expect(found.heads.map(({ size }) => size)).toEqual(Array.from({ length: 30 }, (_, n) => (n + 1) * 3))
})

test('whichever byte of an anchor is changed, it is found', () => {
  const [first, ...rest] = chainOf(2)
  const bytes = first?.bytes ?? new Uint8Array()
  for (let at = 0; at < bytes.length; at += 1) {
    for (const flip of [1, 2, 32]) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ flip
      expect(check([{ key: first?.key ?? '', bytes: changed }, ...rest]).ok, `byte ${at} ^ ${flip}`).toBe(false)
    }
  }
})

test('an anchor that is missing, moved, repeated, exchanged or signed by another key is found', () => {
  const chain = chainOf(5)
  const without = (n: number): readonly AnchorFile[] => chain.filter((_, at) => at !== n)
  expect(kinds(without(0))).toEqual(['missing'])
  expect(kinds(without(2))).toEqual(['missing'])
  expect(check(without(2)).faults[0]?.says).toBe(
    'Anchor 2 is missing before production/2026/03/05/03/anchor-20260305T03.json; the last of them is production/2026/03/05/02/anchor-20260305T02.json.',
  )
  expect(
    kinds([
      ...chain.slice(0, 4),
      { key: 'production/2026/03/05/05/anchor-20260305T05.json', bytes: chain[4]?.bytes ?? new Uint8Array() },
    ]),
  ).toEqual(['misplaced'])
  expect(kinds([...chain, { key: 'z', bytes: chain[1]?.bytes ?? new Uint8Array() }])).toContain('contradicts')
  const stranger = chainOf(5, { ...signer, seed: new Uint8Array(32).fill(8) })
  expect(kinds([...chain.slice(0, 4), ...stranger.slice(4)])).toEqual(['forged'])
  expect(verifyAnchors(chain, { chainId: 'staging', verifier }).faults.map(({ is }) => is)).toEqual(
    Array(5).fill('foreign'),
  )
})

test('an anchor made anew with the right key is found by the one that follows it', () => {
  const chain = chainOf(3)
  const other = sha256(Buffer.from('another history'))
  const second = readAnchor(chain[1]?.bytes ?? new Uint8Array()).anchor
  const { signature: _, ...anchor } = second
  const forged = anchorBytes(
    {
      ...anchor,
      root: hexOf(other),
      checkpoint: signNote(checkpointText({ origin: signer.name, size: 6, root: other, extensions: [] }), signer),
    },
    signer,
  )
  expect(
    kinds([chain[0], { key: chain[1]?.key ?? '', bytes: forged }, chain[2]].filter((one) => one !== undefined)),
  ).toEqual(['unlinked'])
})

test('names sort as time does, and only names of the chain are taken for anchors', () => {
  const instants = fc.array(
    fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
    {
      minLength: 2,
      maxLength: 8,
    },
  )
  fc.assert(
    fc.property(instants, (dates) => {
      const ordered = [...dates].sort((a, b) => a.getTime() - b.getTime())
      const keys = ordered.map((at) => anchorKeys(chainId, at).at(-1) ?? '')
      expect(keys.toSorted()).toEqual(keys)
      for (const at of dates) {
        const names = anchorKeys(chainId, at)
        expect(names.toSorted()).toEqual(names)
        for (const name of names) expect(isAnchorKey(chainId, name)).toBe(true)
        for (const name of names) expect(isAnchorKey('other', name)).toBe(false)
      }
    }),
  )
  expect(isAnchorKey(chainId, 'production/2026/03/05/14/anchor-20260305T15.json')).toBe(false)
})

test('bytes that are no anchor are refused and nothing else is thrown', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        expect(() => readAnchor(bytes)).toThrow(NotAnAnchor)
      },
    ),
  )
})
