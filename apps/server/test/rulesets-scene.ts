import type { TestServer, TestTenant } from './server.ts'

/** A small ruleset of the current dialect; `text` makes its bytes its own. */
export function rulesetYaml(name: string, text = 'a word'): string {
  return `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: ${name}
  description: ${JSON.stringify(text)}
defaults:
  mode: enforce
rules:
  - id: no-env
    type: pre
    tool: read_file
    when:
      args.path: { contains: .env }
    then:
      action: block
      message: No.
`
}

/** As many rules as fit into so many bytes. */
export function largeRulesetYaml(name: string, bytes: number): string {
  const [head = '', rule = ''] = rulesetYaml(name).split(/(?<=^rules:\n)/m)
  const count = Math.floor((bytes - head.length) / (rule.length + 8))
  return head + Array.from({ length: count }, (_, n) => rule.replace('no-env', `no-env-${n}`)).join('')
}

/** Uploads through the older clients' wire and makes it live; answers its version and the hash of the bytes given. */
export async function rollOutYaml(
  server: TestServer,
  tenant: TestTenant,
  yaml: string,
  environment = 'production',
): Promise<{ readonly name: string; readonly version: number }> {
  const made = await server.call('POST', '/api/v1/bundles', { cookie: tenant.cookie, body: { yaml_content: yaml } })
  if (made.status !== 201) throw new Error(`no upload: ${made.status} ${made.text}`)
  const { name, version } = made.body as { name: string; version: number }
  await rollOutVersion(server, tenant, name, version, environment)
  return { name, version }
}

export async function rollOutVersion(
  server: TestServer,
  tenant: TestTenant,
  name: string,
  version: number,
  environment = 'production',
): Promise<void> {
  const path = `/api/v1/bundles/${name}/${version}/deploy`
  const live = await server.call('POST', path, { cookie: tenant.cookie, body: { env: environment } })
  if (live.status !== 201) throw new Error(`no rollout: ${live.status} ${live.text}`)
}

/** What a fetch over this prefix answers. */
export async function fetchRuleset(
  server: TestServer,
  key: string,
  path: string,
  agent = 'a1',
): Promise<{ readonly revision_hash: string; readonly version: number; readonly public_key: string }> {
  const answer = await server.call('GET', path, { key, agent })
  if (answer.status !== 200) throw new Error(`no ruleset: ${answer.status} ${answer.text}`)
  return answer.body as { revision_hash: string; version: number; public_key: string }
}
