import { createHash, createPublicKey, verify } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let server: ServerApart
let tenant: TestTenant
let key: string

beforeAll(async () => {
  server = await serverApart()
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
})
beforeEach(async () => {
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
})

/** What a released SDK reads of a fetch. */
type Fetched = {
  readonly name: string
  readonly version: number
  readonly revision_hash: string
  readonly yaml: string
  readonly yaml_bytes: string
  readonly signature: string
  readonly signature_hex: string
  readonly public_key: string
  readonly env: string
}
const fetched = (answer: Answer): Fetched => answer.body as Fetched

const asRuleset = (name = 'base', message = 'No.') => `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: ${name}
defaults:
  mode: enforce
rules:
  - id: no-rm   # keep me
    type: pre
    tool: bash
    when:
      args.command: { contains: rm }
    then:
      action: block
      message: "${message}"
`
const asBundle = asRuleset()
  .replace('kind: Ruleset', 'kind: ContractBundle')
  .replace('rules:', 'contracts:')
  .replace('action: block', 'effect: deny')

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')

const isSigned = ({ yaml_bytes, signature, public_key }: Fetched): boolean => {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(public_key, 'hex')])
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return verify(null, Buffer.from(yaml_bytes, 'base64'), publicKey, Buffer.from(signature, 'base64'))
}

describe.each([
  ['/v1', 'rulesets'],
  ['/v1', 'bundles'],
  ['/api/v1', 'rulesets'],
  ['/api/v1', 'bundles'],
])('under %s with the word %s', (prefix, word) => {
  const at = (path: string): string => `${prefix}/${word}${path}`
  const upload = (yaml: string): Promise<Answer> =>
    server.call('POST', at(''), { cookie: tenant.cookie, body: { yaml_content: yaml } })
  const deploy = (name: string, version: number, env = 'production'): Promise<Answer> =>
    server.call('POST', at(`/${name}/${version}/deploy`), { cookie: tenant.cookie, body: { env } })
  const current = (name = 'base', query = '', withKey = key): Promise<Answer> =>
    server.call('GET', at(`/${name}/current${query}`), { key: withKey, agent: 'a1' })
  const live = async (yaml = asRuleset()): Promise<void> => {
    expect((await upload(yaml)).status).toBe(201)
    expect((await deploy('base', 1)).status).toBe(201)
  }

  test('wire 8: a key of staging asking for production is refused, and without env finds nothing that is only live elsewhere', async () => {
    await live()
    const staging = (await server.newKey(tenant, 'staging')).key
    const other = await current('base', '?env=production', staging)
    expect(other.status).toBe(403)
    expect(other.body).toEqual({ detail: "API key is for environment 'staging', not 'production'." })
    const none = await current('base', '', staging)
    expect(none.status).toBe(404)
    expect(none.body).toEqual({ detail: "No deployed version of bundle 'base' in 'staging'." })
  })

  test('wire 9: a fetch without query carries the same bytes twice, and their SHA-256 is the revision hash', async () => {
    await live()
    const answer = await current()
    expect(answer.status).toBe(200)
    const body = fetched(answer)
    expect(Buffer.from(body.yaml_bytes, 'base64').equals(Buffer.from(body.yaml))).toBe(true)
    expect(sha256(body.yaml)).toBe(body.revision_hash)
    expect(body).toMatchObject({ name: 'base', bundle_name: 'base', version: 1, env: 'production' })
    expect(body).toMatchObject({ tenant_id: tenant.tenant, uploaded_by: tenant.email, source_hub_slug: null })
  })

  test('wire 10: the signature is 88 characters of base64 that verify with the published key, and its hexadecimal is the same bytes', async () => {
    await live()
    const body = fetched(await current())
    expect(body.signature).toMatch(/^[A-Za-z0-9+/]{86}==$/)
    expect(Buffer.from(body.signature, 'base64')).toHaveLength(64)
    expect(body.public_key).toMatch(/^[0-9a-f]{64}$/)
    expect(isSigned(body)).toBe(true)
    expect(Buffer.from(body.signature_hex, 'hex').equals(Buffer.from(body.signature, 'base64'))).toBe(true)
  })

  test.each([
    ['a Ruleset', asRuleset()],
    ['a ContractBundle', asBundle],
  ])('wire 11: %s is served as what the path is for, with a hash and a signature of its own', async (_, yaml) => {
    await live(yaml)
    const old = fetched(await server.call('GET', `/api/v1/${word}/base/current?env=production`, { key, agent: 'a1' }))
    const now = fetched(await server.call('GET', `/v1/${word}/base/current`, { key, agent: 'a1' }))
    expect(old.yaml).toBe(asBundle)
    expect(now.yaml).toBe(asRuleset())
    expect(old.revision_hash).toBe(sha256(asBundle))
    expect(now.revision_hash).toBe(sha256(asRuleset()))
    expect(old.signature).not.toBe(now.signature)
    expect([isSigned(old), isSigned(now)]).toEqual([true, true])
    expect(old.version).toBe(now.version)
  })

  test('wire 11: a key that is set to one dialect is served it whatever the path', async () => {
    await live()
    const set = (await server.newKey(tenant, 'production', { rendering: 'contract_bundle' })).key
    expect(fetched(await current('base', '', set)).yaml).toBe(asBundle)
    const other = (await server.newKey(tenant, 'production', { rendering: 'ruleset' })).key
    expect(fetched(await current('base', '', other)).yaml).toBe(asRuleset())
  })

  test('wire 12: an unknown name is 404 with a sentence', async () => {
    const answer = await current('nobody')
    expect(answer.status).toBe(404)
    expect(answer.body).toEqual({ detail: "No deployed version of bundle 'nobody' in 'production'." })
  })

  test('wire 13: an agent without a name of its own is served what it was assigned, and current is not taken for a name', async () => {
    await live()
    const none = await server.call('GET', at('/current'), { key, agent: 'a1' })
    expect(none.status).toBe(404)
    const assigned = await server.call('PUT', '/api/v2/assignments', {
      cookie: tenant.cookie,
      body: { agent_ids: ['a1'], environment: 'production', ruleset: 'base' },
    })
    expect(assigned.status).toBe(200)
    const answer = await server.call('GET', at('/current'), { key, agent: 'a1' })
    expect(answer.status).toBe(200)
    expect(fetched(answer)).toMatchObject({ name: 'base' })
    expect(fetched(answer).yaml).toContain('metadata')
    expect((await upload(asRuleset('current'))).status).toBe(422)
  })

  test('wire 13: an agent nobody assigned is served the ruleset called default', async () => {
    expect((await upload(asRuleset('default'))).status).toBe(201)
    expect((await deploy('default', 1)).status).toBe(201)
    expect(fetched(await server.call('GET', at('/current'), { key, agent: 'a9' })).name).toBe('default')
  })

  test('wire 14: line ends, spaces at line ends and foreign letters come back byte for byte', async () => {
    const odd = asRuleset('base', 'Nö — 不 😀').replaceAll('\n', '\r\n').replace('mode: enforce', 'mode: enforce   ')
    await live(odd)
    const body = fetched(await server.call('GET', `/v1/${word}/base/current`, { key }))
    expect(body.yaml).toBe(odd)
    expect(Buffer.from(body.yaml_bytes, 'base64').equals(Buffer.from(odd))).toBe(true)
    const raw = await server.call('GET', at('/base/1/yaml'), { cookie: tenant.cookie })
    expect(raw.headers.get('content-type')).toBe('application/x-yaml')
    expect(raw.text).toBe(odd)
    const bundle = fetched(await server.call('GET', `/api/v1/${word}/base/current`, { key }))
    expect(bundle.yaml).toContain('kind: ContractBundle\r\n')
    expect(Buffer.from(bundle.yaml_bytes, 'base64').toString()).toBe(bundle.yaml)
  })

  test('wire 15: one byte over 512 KiB in either rendering, a byte order mark and broken UTF-8 are refused', async () => {
    const fill = (yaml: string, bytes: number): string => `${yaml}# ${'x'.repeat(bytes - yaml.length - 3)}\n`
    const max = 524_288
    // As a ContractBundle this one is longer than as a Ruleset.
    const grown = asBundle.length - asRuleset().length
    expect(grown).toBeGreaterThan(0)
    expect((await upload(fill(asRuleset(), max - grown))).status).toBe(201)
    for (const tooLong of [fill(asRuleset(), max + 1), fill(asRuleset(), max - grown + 1), fill(asBundle, max + 1)]) {
      const answer = await upload(tooLong)
      expect(answer.status).toBe(422)
      expect(answer.text).toContain('too large')
    }
    expect((await upload(`\uFEFF${asRuleset()}`)).status).toBe(422)
    expect((await upload(`${asRuleset()}# \ud800\n`)).status).toBe(422)
    const broken = Buffer.concat([Buffer.from('{"yaml_content":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
    const raw = await fetch(`${server.url}${at('')}`, {
      method: 'POST',
      headers: { cookie: tenant.cookie, 'x-requested-with': 'x', 'content-type': 'application/json' },
      body: broken,
    })
    expect(raw.status).toBe(422)
    const huge = await server.call('POST', at(''), {
      cookie: tenant.cookie,
      body: { yaml_content: 'x'.repeat(6 * 1_048_576) },
    })
    expect(huge.status).toBe(413)
    expect(huge.body).toEqual({ detail: 'Request body too large. Maximum allowed: 5MB.' })
  })

  test('wire 22: a deploy is what the next fetch brings, in its own environment and under its own name only', async () => {
    await live()
    await upload(asRuleset('base', 'Never.'))
    await upload(asRuleset('other'))
    expect((await deploy('other', 1)).status).toBe(201)
    const before = fetched(await current())
    const made = await deploy('base', 2)
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({
      env: 'production',
      bundle_name: 'base',
      bundle_version: 2,
      deployed_by: tenant.email,
    })
    const after = fetched(await current())
    expect([before.version, after.version]).toEqual([1, 2])
    expect(after.yaml).toContain('Never.')
    expect(isSigned(after)).toBe(true)
    expect(fetched(await current('other')).version).toBe(1)
    const staging = (await server.newKey(tenant, 'staging')).key
    expect((await current('base', '', staging)).status).toBe(404)
  })

  test('wire 22: going back to an older version signs it anew and serves it', async () => {
    await live()
    await upload(asRuleset('base', 'Never.'))
    await deploy('base', 2)
    await server.call('POST', '/api/v1/settings/rotate-signing-key', { cookie: tenant.cookie })
    expect((await deploy('base', 1)).status).toBe(201)
    const body = fetched(await current())
    expect(body.version).toBe(1)
    expect(isSigned(body)).toBe(true)
  })
})
