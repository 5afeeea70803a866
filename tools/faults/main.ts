import { randomBytes } from 'node:crypto'
import { killRun } from './kill-run.ts'

// `FAULTS=1000 npm run faults`: kills servers, callers and PostgreSQL under load and holds what is left against what was
// promised. `FAULTS_SEED` repeats a run's choices; the moments still depend on the machine.

const kills = Number(process.env['FAULTS'] ?? 25)
const seed = Number(process.env['FAULTS_SEED'] ?? randomBytes(4).readUInt32BE())
const say = (line: string): void => void process.stdout.write(`${line}\n`)

say(`${kills} kills, seed ${seed}`)
const begun = performance.now()
const run = await killRun({ kills, seed, say })
say(JSON.stringify({ seed, seconds: Math.round((performance.now() - begun) / 1000), ...run }))
for (const fault of run.faults) say(`✗ ${fault}`)
say(
  run.faults.length === 0
    ? 'Nothing that was acknowledged is lost, and nothing happened unrecorded.'
    : `${run.faults.length} faults`,
)
process.exitCode = run.faults.length === 0 ? 0 : 1
