import { type Permission, permissionRows, permissions } from '@countersign/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { builtInRoles, type Route } from '../src/features/roles/index.ts'
import { tokenOf } from './factors-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from './server.ts'

// The matrix of roles and routes: what a role does not allow is refused before ids or bodies are looked at.

let server: ServerApart
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(() => server.stop())

const someId = '018f0000-0000-7000-8000-000000000001'

function permissionOf({ needs }: Route): Permission | undefined {
  const name = needs.replace('agent-key or ', '')
  return permissions.find((one) => one === name)
}

function addresses(): readonly { readonly at: string; readonly route: Route }[] {
  const { native, edictum, rack } = server.app.routes
  const of = (prefix: string, routes: readonly Route[]) =>
    routes.map((route) => ({ at: prefix + route.path.replaceAll(/:\w+/g, someId), route }))
  return [...of('/api/v2', native), ...of('/api/v1', edictum), ...of('/api/v1', rack)]
}

async function refusedWith(credential: { readonly key: string }, allowed: ReadonlySet<Permission>) {
  for (const { at, route } of addresses()) {
    const needed = permissionOf(route)
    if (needed === undefined) continue
    const isAllowed = allowed.has(needed)
    // What never ends, or ends what the others need: its own tests look at it.
    if (isAllowed && (route.answersItself === true || /stream|wait|sign_in/.test(at))) continue
    const { status, text } = await server.call(route.method, at, credential)
    const seen = `${route.method} ${at}: ${status} ${text.slice(0, 160)}`
    if (isAllowed && route.method === 'GET') expect.soft([200, 404, 422], seen).toContain(status)
    // A write that is allowed comes as far as its body, its thing, or the fresh proof it needs.
    else if (isAllowed) {
      expect.soft([200, 201, 202, 204, 400, 403, 404, 409, 413, 415, 422], seen).toContain(status)
      expect.soft(text, seen).not.toMatch(/needs the permission|people only/)
    } else expect.soft(status, seen).toBe(403)
    // Refused for what the role lacks, not for a header or a body.
    if (!isAllowed) expect.soft(text, seen).toMatch(/permission|people only/)
  }
}

describe('every route of every surface', () => {
  for (const role of builtInRoles.filter(({ forPeople }) => forPeople)) {
    test(`refuses whoever holds ${role.name} exactly what that role does not allow, and lets through what it does`, async () => {
      const person = await server.newPerson(acme, [{ role: role.name, environment: null }])
      // In a header, since each surface wants another one beside a cookie.
      await refusedWith({ key: tokenOf(person) }, new Set(role.permissions))
    })
  }

  test('refuses a token what only people may do, whatever else it may', async () => {
    const own = permissions.filter((name) => permissionRows[name].forTokens)
    const made = await server.call('POST', '/api/v2/tokens', {
      cookie: acme.cookie,
      body: { name: 'all of it', permissions: own },
    })
    expect(made.status).toBe(201)
    const { token } = made.body as { token: string }
    await refusedWith({ key: token }, new Set(own))
    for (const path of ['/api/v2/sessions', '/api/v2/environments'])
      expect((await server.call('GET', path, { key: token })).status, path).toBe(403)
  })

  test('names a permission that some route needs, and every permission has its route', () => {
    const used = new Set(addresses().map(({ route }) => permissionOf(route)))
    // What is done on a rack is done by whatever stands before it, which asks GET /access.
    const isAsked = (name: Permission) => name === 'protected:write' || permissionRows[name].reach === 'rack'
    const unused = permissions.filter((name) => !used.has(name) && !isAsked(name))
    expect(unused).toEqual([])
  })
})
