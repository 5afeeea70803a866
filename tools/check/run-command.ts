import { spawn } from 'node:child_process'

export type Ran = {
  readonly code: number
  readonly seconds: number
  /** What it wrote, when that was not shown at once. */
  readonly output: string
}

/**
 * Runs a program and takes it along when this process is told to end. Its output is shown as it comes, or kept for the
 * caller to show when others run beside it.
 */
export async function runCommand(
  program: string,
  args: readonly string[],
  { env = {}, isKept = false }: { readonly env?: Readonly<Record<string, string>>; readonly isKept?: boolean } = {},
): Promise<Ran> {
  const start = performance.now()
  const to = isKept ? 'pipe' : 'inherit'
  const child = spawn(program, args, { stdio: ['ignore', to, to], env: { ...process.env, ...env } })
  const parts: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => parts.push(part))
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
    return { code, seconds: (performance.now() - start) / 1000, output: Buffer.concat(parts).toString() }
  } finally {
    process.off('SIGTERM', end)
    process.off('SIGINT', end)
  }
}
