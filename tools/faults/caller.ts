import { closeSync, openSync, writeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { callRecorder } from '../../apps/server/src/features/trail/index.ts'
import { systemClock } from '../../apps/server/src/kernel/clock.ts'
import { makeKeyring } from '../../apps/server/src/kernel/crypto.ts'
import { openDb } from '../../apps/server/src/kernel/db.ts'
import { idMaker } from '../../apps/server/src/kernel/ids.ts'

// A process that makes calls as a gateway does: intent into the trail, then the effect, then its end; many at once. The
// effect is a line in a file. It prints each call whose end was acknowledged. It lives until it is killed.

const [url = '', effects = '', run = ''] = process.argv.slice(2)
const clock = systemClock()
const db = openDb({ url, applicationName: 'faults caller', connectionsMax: 4, onBrokenConnection: () => undefined })
const recorder = callRecorder({
  db,
  clock,
  newId: idMaker(clock.now),
  keyring: makeKeyring(['only for fault runs, only for fault runs, only for fault runs']),
})
const file = openSync(effects, 'a')
process.once('exit', () => {
  closeSync(file)
})

async function call(id: string): Promise<void> {
  const act = {
    tenant: null,
    actor: { kind: 'system', id: 'caller' },
    subject: { kind: 'call', id },
  } as const
  await recorder.record({ ...act, act: 'call.intended', outcome: 'intended' })
  writeSync(file, `${id}\n`)
  await recorder.record({ ...act, act: 'call.ended', outcome: 'done' })
  process.stdout.write(`${id}\n`)
}

/** Calls are under way at most moments, and a thousand kills leave a record that can still be checked whole. */
const pauseMsMax = 12

async function work(lane: number): Promise<never> {
  for (let n = 0; ; n += 1) {
    try {
      await call(`${run}-${lane}-${n}`)
      await pause((n * 5) % pauseMsMax)
    } catch {
      // The trail could not be written: whatever was not intended was not done either. Others try again soon.
      await pause(20)
    }
  }
}

await Promise.all([0, 1, 2, 3].map(work))
