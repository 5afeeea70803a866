import { ApprovalDenied, CallBlocked } from '@countersign/agent'

/** Where the examples find the server, with a key made under Keys: by default the demo that `npm run demo` starts. */
export const connection = {
  url: process.env['COUNTERSIGN_URL'] ?? 'http://localhost:8000',
  key: process.env['COUNTERSIGN_KEY'] ?? missingKey(),
  ruleset: 'payments-guard',
  principal: { role: 'billing' },
} as const

/** How long a held call waits here; a real agent waits as long as its rule says. */
export function patience(): AbortSignal {
  return AbortSignal.timeout(Number(process.env['EXAMPLE_PATIENCE_MS'] ?? 60_000))
}

/** Tries something and says what came of it. */
export async function attempt(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    say(`${what}: ${JSON.stringify(await work())}`)
  } catch (cause) {
    if (cause instanceof ApprovalDenied) say(`${what}: denied. ${cause.message}`)
    else if (cause instanceof CallBlocked) say(`${what}: blocked by ${cause.rule ?? cause.code}. ${cause.message}`)
    else if (cause instanceof Error && cause.name === 'TimeoutError') say(`${what}: nobody decided yet`)
    else throw cause
  }
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function missingKey(): never {
  process.stderr.write('Make a key for the environment production under Keys, and give it as COUNTERSIGN_KEY.\n')
  process.exit(2)
}
