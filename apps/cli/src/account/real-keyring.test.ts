import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../server/test/server.ts'

// The command line as a process of its own, with a Secret Service of its own: GNOME's, on a bus nobody else is on.

const hasService = ['dbus-run-session', 'gnome-keyring-daemon'].every(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
)
const main = fileURLToPath(new URL('../main.ts', import.meta.url))

let server: ServerApart
let acme: TestTenant
let home: string
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'countersign-keyring-'))
  server = await serverApart()
  acme = await server.newTenant('acme')
})
afterAll(async () => {
  await server.stop()
  rmSync(home, { recursive: true })
})

const script = `
printf 'a password of the keyring' | gnome-keyring-daemon --unlock --components=secrets > /dev/null
csign() { "$NODE" "$MAIN" "$@"; echo "== $?"; }
csign login "$SERVER" --no-browser --json
csign whoami
cp -r "$XDG_DATA_HOME" "$HOME/kept"
csign logout
csign whoami
`

/** Runs it, letting the command line in as soon as it shows its code. */
async function played(): Promise<{ readonly out: string; readonly complaint: string }> {
  const said = { out: '', complaint: '' }
  const child = spawn('dbus-run-session', ['--', 'bash', '-c', script], {
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_DATA_HOME: join(home, 'data'),
      XDG_RUNTIME_DIR: home,
      NODE: process.execPath,
      MAIN: main,
      SERVER: server.url,
    },
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.stdout.on('data', (text: Buffer) => void (said.out += text.toString()))
  let isAsked = false
  const letIn = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text: Buffer) => {
      said.complaint += text.toString()
      const code = /shows ([A-Z]{4}-[A-Z]{4})/.exec(said.complaint)?.[1]
      if (code === undefined || isAsked) return
      isAsked = true
      server
        .call('POST', '/api/v2/cli-sign-ins/decision', { cookie: acme.cookie, body: { code, approve: true } })
        .then(() => resolve(), reject)
    })
  })
  await Promise.race([letIn, ended])
  await ended
  return said
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
}

describe.skipIf(!hasService)('with GNOME’s keyring', () => {
  test('the session is kept there, sealed and in no file of ours, serves the next command, and is gone after signing out', async () => {
    const { out, complaint } = await played()
    const said = [...out.matchAll(/([\s\S]*?)== (\d)\n/g)].map(([, text = '', code]) => ({ text, code }))
    expect(
      said.map(({ code }) => code),
      complaint,
    ).toEqual(['0', '0', '0', '3'])
    const [signedIn, whoami, signedOut] = said
    expect(JSON.parse(signedIn?.text ?? '')).toMatchObject({ email: acme.email, kept_in: 'keyring' })
    expect(whoami?.text).toContain(acme.email)
    expect(signedOut?.text).toContain('Signed out')
    // What the service keeps on disk is sealed: nothing there looks like a session's token.
    const kept = filesIn(join(home, 'kept'))
    expect(kept.length).toBeGreaterThan(0)
    for (const text of [...kept, ...filesIn(join(home, 'config'))]) expect(text).not.toMatch(/[\w-]{43}/)
    expect(complaint).not.toContain('not in a keyring')
  })
})
