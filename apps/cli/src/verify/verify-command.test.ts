import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countersignedChallenge, countersignedText, verifierOf, verifierText } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pretendPasskey } from '../../../server/test/pretend-passkey.ts'
import { verifyCommand } from './verify-command.ts'

let folder: string
let path: string
let publicKey: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-verify-'))
  path = join(folder, 'approval.json')
  const passkey = pretendPasskey('https://console.example.com')
  publicKey = passkey.publicKey
  const approval = '{"agent":"bot","environment":"production","id":"a1","tenant":"t","tool":"deploy","v":1}'
  const content = countersignedText({
    v: 1,
    approval,
    decision: 'approve',
    reason: 'seen',
    decider: 'p1',
    relying_party: 'example.com',
    nonce: 'n',
  })
  const { id, response } = passkey.get({ challenge: countersignedChallenge(content), rpId: 'example.com' }) as {
    readonly id: string
    readonly response: Readonly<Record<string, string>>
  }
  const file = {
    countersigned_approval: 1,
    countersignatures: [
      {
        content,
        assertion: {
          credential_id: id,
          client_data_json: response['clientDataJSON'],
          authenticator_data: response['authenticatorData'],
          signature: response['signature'],
        },
        registration: { credential_id: id, public_key: publicKey },
      },
    ],
  }
  await writeFile(path, JSON.stringify(file))
})
afterAll(() => rm(folder, { recursive: true }))

async function run(...given: readonly string[]): Promise<{ readonly said: string; readonly failed: boolean }> {
  let said = ''
  let failed = false
  const command = verifyCommand({ print: (text) => void (said += text), fail: () => void (failed = true) })
  await command.parseAsync(['approval', ...given], { from: 'user' })
  return { said, failed }
}

test('a file is verified with the key that is trusted, and told in words', async () => {
  const { said, failed } = await run(path, '--key', publicKey)
  expect(failed).toBe(false)
  expect(said).toContain('Approved by p1, for example.com')
  expect(said).toContain('deploy by bot in production')
  expect(said).toContain('It holds')
})

test('a file cannot vouch for itself', async () => {
  await expect(run(path)).rejects.toThrow('Say what you trust')
})

test('a key that did not sign is told, and fails', async () => {
  const { said, failed } = await run(path, '--key', pretendPasskey().publicKey, '--json')
  expect(failed).toBe(true)
  expect(JSON.parse(said)).toMatchObject({ holds: false, why: expect.stringContaining('not trusted') as string })
})

test('trust in the log needs the proofs of the log', async () => {
  const key = verifierText(verifierOf({ name: 'example.com/trail', seed: new Uint8Array(32) }))
  const { said, failed } = await run(path, '--log-key', key)
  expect(failed).toBe(true)
  expect(said).toContain('no proofs of the trail')
})
