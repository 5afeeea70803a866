import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'
import { idMaker } from '../../kernel/ids.ts'
import { makeLog } from '../../kernel/log.ts'
import { listForAssignment } from './agents-table.ts'
import { makeNotebook } from './notebook.ts'

const clock = testClock('2026-03-01T08:00:00.000Z')
let server: ServerApart

beforeAll(async () => {
  server = await serverApart({ clock })
})
afterAll(() => server.stop())

test('writings asked for at once follow one another, and each has what was noted before it was asked for', async () => {
  const { tenant } = await server.newTenant()
  const notebook = makeNotebook({
    db: server.db,
    clock,
    log: makeLog('error'),
    newId: idMaker(clock.now),
    replicaId: 'a-test',
    onPresence: () => undefined,
  })
  const names = ['one', 'two', 'three'].map((agentId) => ({ tenant, environment: 'production', agentId }))
  const turns = names.map((name) => {
    notebook.note(name, { asked: 'base', seenAt: clock.now() })
    return notebook.write()
  })
  for (const [at, turn] of turns.entries()) {
    await turn
    const written = (await listForAssignment(server.db, tenant)).map(({ agentId }) => agentId)
    expect(written).toEqual(expect.arrayContaining(names.slice(0, at + 1).map(({ agentId }) => agentId)))
  }
  expect(names.map(notebook.unwritten)).toEqual([undefined, undefined, undefined])
})
