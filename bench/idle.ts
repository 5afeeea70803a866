import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { report, startBenchServer } from './bench-server.ts'

/** What the process of a server holds in memory that nobody asks anything of: just started, and once it has come to rest. */
const goalMb = 150
/** Longer than the server waits for a quiet moment to give memory back. */
const restSeconds = Number(process.env['BENCH_SECONDS'] ?? 30)

const server = await startBenchServer()
const atStart = await residentMb()
const cpuBefore = await cpuMs()
await pause(restSeconds * 1_000)
const atRest = await residentMb()
report('idle', {
  goal_resident_mb: goalMb,
  resident_mb_when_ready: atStart,
  resident_mb_at_rest: atRest,
  cpu_ms_per_second: Number(((await cpuMs()) - cpuBefore) / restSeconds).toFixed(1),
  seconds: restSeconds,
})
await server.stop()
if (atRest > goalMb) process.exitCode = 1

async function residentMb(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024)
}

async function cpuMs(): Promise<number> {
  const text = await readFile(`/proc/${server.pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
