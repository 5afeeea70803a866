import { openDataFolder } from '../src/boot/data-folder.ts'
import { startEmbeddedPostgres } from '../src/boot/embedded-postgres.ts'

// A process of its own for the launcher's tests: starts or adopts the database on the folder given, says so in one line
// of JSON for each thing that happens, and stops on SIGTERM.
const [path = '', user] = process.argv.slice(2)

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

if (user) {
  process.setgroups?.([])
  process.setgid?.(Number(user))
  process.setuid?.(Number(user))
}

try {
  const told = (_fields: object, text: string): void => say({ told: text })
  const postgres = await startEmbeddedPostgres({
    folder: await openDataFolder(path),
    log: { info: told, warn: told },
    say: (text) => told({}, text),
  })
  const alive = setInterval(() => {}, 60_000)
  process.once('SIGTERM', () => {
    clearInterval(alive)
    void postgres.stop().then(() => say({ stopped: true }))
  })
  say({ ready: true, adopted: postgres.adopted, url: postgres.url, superuserUrl: postgres.superuserUrl })
} catch (cause) {
  say({ refused: cause instanceof Error ? cause.message : String(cause) })
  process.exitCode = 1
}
