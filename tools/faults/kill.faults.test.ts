import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { killRun } from './kill-run.ts'

const seed = Number(process.env['FAULTS_SEED'] ?? randomBytes(4).readUInt32BE())
const kills = Number(process.env['FAULTS'] ?? 25)

test(`after ${kills} kills at random moments no acknowledged entry is lost, nothing is forked, and no effect lacks its intent (seed ${seed})`, {
  timeout: 600_000,
}, async () => {
  const run = await killRun({ kills, seed, checkEvery: 10 })
  expect(run.faults).toEqual([])
  expect(run.kills.server + run.kills.caller + run.kills.postgres).toBe(kills)
  expect(Math.min(run.acknowledged.keys, run.acknowledged.events, run.acknowledged.calls)).toBeGreaterThan(kills)
  expect(run.checkpoints).toBeGreaterThan(0)
})
