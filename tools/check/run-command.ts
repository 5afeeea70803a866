import { spawn } from 'node:child_process'

/** Runs a program with its output shown, and takes it along when this process is told to end. */
export async function runCommand(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly seconds: number }> {
  const start = performance.now()
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...env } })
  let isTold = false
  const end = (signal: NodeJS.Signals): void => {
    isTold = true
    child.kill(signal)
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  try {
    const code = await new Promise<number>((settle, fail) => {
      child.once('error', fail)
      child.once('close', (status) => settle(status ?? 1))
    })
    // The program has cleaned up behind itself; nothing further is to be started.
    if (isTold) process.exit(1)
    return { code, seconds: (performance.now() - start) / 1000 }
  } finally {
    process.off('SIGTERM', end)
    process.off('SIGINT', end)
  }
}
