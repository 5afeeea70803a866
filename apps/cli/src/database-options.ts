import type { Command } from 'commander'
import { type DatabaseRole, type OpenedDatabase, openDatabase } from './open-database.ts'

/** What a command sees of the shell it runs in. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  /** What went wrong, for people: kept apart from what was asked for. */
  readonly complain: (text: string) => void
  /** Exit code 1: the answer is no. */
  readonly fail: () => void
}

export type DatabaseOptions = { readonly database?: string; readonly dataDir?: string }

export function withDatabase(command: Command): Command {
  return command
    .exitOverride()
    .option('--database <url>', 'the PostgreSQL of the server (default: COUNTERSIGN_DATABASE_URL)')
    .option(
      '--data-dir <folder>',
      'the data folder of a server with its own PostgreSQL (default: COUNTERSIGN_DATA_DIR or ./data)',
    )
}

export async function usingDatabase<Result>(
  options: DatabaseOptions,
  env: Surroundings['env'],
  work: (opened: OpenedDatabase) => Promise<Result>,
  role: DatabaseRole = 'server',
): Promise<Result> {
  const opened = await openDatabase(options, env, role)
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
