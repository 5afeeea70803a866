import { guard } from '../src/index.ts'

// Calls and says so until it is killed; no more than the server lists at once, should the killing be late.
const [url = '', key = '', stateDir = ''] = process.argv.slice(2)
const { run } = await guard({ url, key, agentId: 'a1', ruleset: 'base', stateDir })
for (let number = 0; number < 400; number += 1) {
  // Sessions end before their limit does.
  await run({ tool: 'work', args: { number }, sessionId: `s${Math.floor(number / 100)}` }, () => number)
  process.stdout.write(`${number}\n`)
  if (number % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
}
