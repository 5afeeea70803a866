import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CountersignatureFile,
  checkpointText,
  countersignedChallenge,
  countersignedText,
  entryBytes,
  entryProofText,
  inclusionProof,
  leafHash,
  recordedCountersignature,
  signNote,
  treeRoot,
  verifierOf,
  verifierText,
} from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pretendPasskey } from '../../../server/test/pretend-passkey.ts'
import { verifyCommand } from './verify-command.ts'

let folder: string
let path: string
let publicKey: string
let file: CountersignatureFile

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
  file = {
    countersigned_approval: 1,
    countersignatures: [
      {
        content,
        assertion: {
          credential_id: id,
          client_data_json: response['clientDataJSON'] ?? '',
          authenticator_data: response['authenticatorData'] ?? '',
          signature: response['signature'] ?? '',
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

const log = { name: 'example.com/trail', seed: new Uint8Array(32).fill(3) }

/** The file with proofs of a log in which its passkey was registered and its decision taken. */
function provenIn(seconds: number): { readonly text: string; readonly checkpoint: string } {
  const [one] = file.countersignatures
  if (!one) throw new Error('the file has a countersignature')
  const common = { v: 1, tenant: 't', outcome: 'done', actor: { kind: 'person', id: 'p1' }, request: {} } as const
  const entries = [
    entryBytes({
      ...common,
      id: '0190f5a0-0000-7000-8000-000000000001',
      at: `2026-02-28T10:00:${String(seconds).padStart(2, '0')}.000Z`,
      act: 'factor.added',
      subject: { kind: 'factor', id: 'f1' },
      details: { person: 'p1', registration: { ...one.registration, rp_id: 'example.com' } },
    }),
    entryBytes({
      ...common,
      id: '0190f5a0-0000-7000-8000-000000000002',
      at: '2026-02-28T10:01:00.000Z',
      act: 'approval.approved',
      subject: { kind: 'approval', id: 'a1' },
      details: { countersignature: recordedCountersignature(one) },
    }),
  ]
  const leaves = entries.map(leafHash)
  const root = treeRoot(leaves)
  const checkpoint = signNote(checkpointText({ origin: log.name, size: 2, root, extensions: [] }), log)
  const [registration = '', decision = ''] = entries.map((bytes, number) => {
    const hashes = inclusionProof(number, 2, (level, index) =>
      treeRoot(leaves.slice(index << level, (index + 1) << level)),
    )
    return entryProofText({ number, bytes, hashes, checkpoint })
  })
  return { text: JSON.stringify({ ...file, proofs: [{ decision, registration }] }), checkpoint }
}

test('a checkpoint that somebody kept is enough to trust: it proves decision and registration, and no other log does', async () => {
  const { text, checkpoint } = provenIn(0)
  const [proven, kept, others] = ['proven.json', 'checkpoint', 'others'].map((name) => join(folder, name))
  await writeFile(proven ?? '', text)
  await writeFile(kept ?? '', checkpoint)
  await writeFile(others ?? '', provenIn(1).checkpoint)
  const { said, failed } = await run(proven ?? '', '--checkpoint', kept ?? '')
  expect(said).toContain('decision is entry 1, the passkey was registered in entry 0')
  expect(failed).toBe(false)

  const other = await run(proven ?? '', '--checkpoint', others ?? '')
  expect(other.failed).toBe(true)
  expect(other.said).toContain('not under the trusted one')

  const bare = await run(path, '--checkpoint', kept ?? '')
  expect(bare.failed).toBe(true)
  expect(bare.said).toContain('no proofs of the trail')

  const changed = text.replace('"reason\\":\\"seen', '"reason\\":\\"read')
  expect(changed).not.toBe(text)
  await writeFile(proven ?? '', changed)
  expect(await run(proven ?? '', '--checkpoint', kept ?? '')).toMatchObject({ failed: true })
})
