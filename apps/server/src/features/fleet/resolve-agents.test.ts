import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'
import { idMaker } from '../../kernel/ids.ts'
import { makeLog } from '../../kernel/log.ts'
import { listForAssignment } from './agents-table.ts'
import { makeNotebook } from './notebook.ts'
import { resolveAgents } from './resolve-agents.ts'

const clock = testClock('2026-03-01T08:00:00.000Z')
const log = makeLog('error')
let server: ServerApart

beforeAll(async () => {
  server = await serverApart({ clock })
})
afterAll(() => server.stop())

const given = { ruleset: 'base', source: 'agent_provided', ruleId: null } as const

test.each([
  ['noted and not written', false],
  ['written', true],
])(
  'an agent that connects while its first row is looked at keeps what it asked for: %s meanwhile',
  async (_, isWritten) => {
    const { tenant } = await server.newTenant()
    const { db } = server
    const notebook = makeNotebook({
      db,
      clock,
      log,
      newId: idMaker(clock.now),
      replicaId: 'a-test',
      onPresence: () => undefined,
    })
    const name = { tenant, environment: 'production', agentId: 'early' }
    const looked = Promise.withResolvers<undefined>()
    resolveAgents({
      db,
      log,
      notebook,
      bus: { on: () => () => undefined },
      resolveAssignment: async () => {
        // Its stream opens at this moment, with tags of which the row that was read says nothing.
        notebook.note(name, { asked: 'base', assignment: given })
        if (isWritten) await notebook.write()
        queueMicrotask(() => looked.resolve(undefined))
        return { ruleset: 'other', source: 'rule' }
      },
    })
    notebook.note(name, { fetchedRuleset: 'base', seenAt: clock.now() })
    await notebook.write()
    await looked.promise
    // Whatever it makes of the answer it does in this turn.
    await nextTurn()
    await notebook.write()
    expect(await listForAssignment(db, tenant)).toMatchObject([{ ruleset: 'base', rulesetSource: 'agent_provided' }])
  },
)
