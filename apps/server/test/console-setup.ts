import { buildConsole } from '../src/boot/console-build.ts'
import { makeLog } from '../src/kernel/log.ts'

/** The console is built once for all files of a run: two that build at the same moment stand in each other's way. */
export async function setup(): Promise<void> {
  await buildConsole({ say: () => undefined, log: makeLog('warn', { write: () => undefined }) })
}
