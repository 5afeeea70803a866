import { openNote, readCheckpoint, readTile, readVerifier, treeRoot } from '@countersign/trail'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ServerApart, serverApart } from '../../../test/server.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
  const { cookie } = await server.newTenant()
  await server.call('POST', '/api/v2/keys', { cookie, body: { environment: 'production', label: 'one' } })
})
afterAll(() => server.stop())

const get = (path: string) => fetch(`${server.url}${path}`)

test('a stranger with nothing but the key finds the tree of the signed checkpoint in the tiles', async () => {
  const settled = await vi.waitUntil(
    async () => {
      const [head] = await server.db.query<{ size: number }>('select max(h.size) as size from trail_heads as h')
      const answer = await get('/trail/checkpoint')
      if (answer.status !== 200) return undefined
      const note = await answer.text()
      return note.split('\n')[1] === `${head?.size}` ? { note, headers: answer.headers } : undefined
    },
    { timeout: 20_000 },
  )
  expect(settled.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(settled.headers.get('x-content-type-options')).toBe('nosniff')
  const verifier = readVerifier((await (await get('/trail/key')).text()).trim())
  const { size, root, origin } = readCheckpoint(openNote(settled.note, verifier))
  expect(origin).toBe('localhost:8000/trail')
  const tile = await get(`/trail/tile/0/000.p/${size}`)
  expect(tile.headers.get('cache-control')).toContain('immutable')
  const leaves = readTile(new Uint8Array(await tile.arrayBuffer()))
  expect(Buffer.from(treeRoot(leaves)).equals(root)).toBe(true)
})

test('what is not signed, not a tile or not public is not there, and says why', async () => {
  for (const [path, why] of [
    ['tile/0/001', 'no such tile'],
    ['tile/1/000', 'no such tile'],
    ['tile/0/x999/x999/999', 'no such tile'],
    ['tile/0/0', 'No tile has this path'],
    ['tile/%00', 'No tile has this path'],
  ] as const) {
    const answer = await get(`/trail/${path}`)
    expect(answer.status, path).toBe(404)
    expect(((await answer.json()) as { detail: string }).detail, path).toContain(why)
  }
  const posted = await fetch(`${server.url}/trail/checkpoint`, { method: 'POST' })
  expect(posted.status).toBe(405)
})

test('the page of the console keeps its address', async () => {
  // By number it is sent to the name, as every page is.
  const page = await fetch(`${server.url}/trail`, { headers: { accept: 'text/html' }, redirect: 'manual' })
  expect(page.headers.get('location')).toBe('http://localhost:8000/trail')
})
