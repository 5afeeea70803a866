import { type Permission, permissionRows, permissions } from '@countersign/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorityOf, authorityOfList, covers, demand, type GrantRow, permits, permittedIn } from './permits.ts'
import { builtInRoles } from './roles.ts'

const guarded = ['production']
const of = (...grants: readonly GrantRow[]) => authorityOf(grants, guarded)
const role = (name: string, environment: string | null = null): GrantRow => ({ role: name, environment })

describe('what a role allows', () => {
  test('viewer reads, and changes nothing', () => {
    const who = of(role('viewer'))
    for (const name of who.permissions) expect(name).toMatch(/:read$/)
    for (const name of ['trail:read', 'settings:read', 'people:read', 'tokens:read'] as const)
      expect(permits(who, name)).toBe(false)
  })

  test('auditor reads everything there is, the trail and its export included, and changes nothing', () => {
    const who = of(role('auditor'))
    for (const name of permissions)
      expect(permits(who, name), name).toBe(name.endsWith(':read') || name === 'trail:export')
  })

  test('deployer rolls out and makes keys everywhere but in protected environments', () => {
    const who = of(role('deployer'))
    for (const name of ['rollouts:write', 'keys:write', 'assignments:write', 'fleet:manage'] as const) {
      expect(permits(who, name, { environment: 'staging' })).toBe(true)
      expect(permits(who, name, { environment: 'production' })).toBe(false)
    }
    expect(() => {
      demand(who, 'rollouts:write', { environment: 'production' })
    }).toThrow('production is protected')
  })

  test('admin may do everything everywhere', () => {
    const who = of(role('admin'))
    for (const name of permissions) expect(permits(who, name, { environment: 'production' })).toBe(true)
  })

  test('a role that is not there any more allows nothing', () => {
    expect(of(role('gone')).permissions.size).toBe(0)
    const unknown = of({ role: 'own', environment: null, permissions: ['rockets:launch', 'fleet:read'] })
    expect([...unknown.permissions]).toEqual(['fleet:read'])
  })
})

describe('scopes', () => {
  test('a role for one environment acts there and nowhere else, and governs nothing', () => {
    const who = of(role('admin', 'staging'))
    expect(permits(who, 'rollouts:write', { environment: 'staging' })).toBe(true)
    expect(permits(who, 'rollouts:write', { environment: 'development' })).toBe(false)
    expect(permits(who, 'approval:decide', { environment: 'production' })).toBe(false)
    for (const name of permissions)
      if (permissionRows[name].reach === 'tenant') expect(permits(who, name), name).toBe(false)
  })

  test('two harmless roles never add up: what opens a protected environment must be in the same role as the act', () => {
    const opener = { role: 'opener', environment: null, permissions: ['protected:write', 'fleet:read'] }
    const who = of(role('deployer'), opener)
    expect(permits(who, 'rollouts:write', { environment: 'production' })).toBe(false)
    const both = { role: 'both', environment: null, permissions: ['protected:write', 'rollouts:write'] }
    expect(permits(of(both), 'rollouts:write', { environment: 'production' })).toBe(true)
  })

  test('an approver of production decides there although it is protected: deciding is what guards it', () => {
    expect(permits(of(role('approver', 'production')), 'approval:decide', { environment: 'production' })).toBe(true)
  })

  test('pages are told by environment what can be done there', () => {
    const told = permittedIn(of(role('deployer', 'staging')), ['staging', 'production'])
    expect(told['staging']).toContain('rollouts:write')
    expect(told['production']).toEqual([])
  })
})

const environments = ['production', 'staging', 'development'] as const
const place = fc.option(fc.constantFrom(...environments), { nil: null })
const list = fc.subarray([...permissions])
const grants = fc.array(
  fc.oneof(
    fc.record({ role: fc.constantFrom(...builtInRoles.map(({ name }) => name)), environment: place }),
    fc.record({ role: fc.constant('own'), environment: place, permissions: list }),
  ),
  { maxLength: 4 },
)

describe('nobody grants more than they hold', () => {
  test('whoever is given what the giver covers can do nothing the giver cannot', () => {
    fc.assert(
      fc.property(grants, list, place, (held, given: readonly Permission[], where) => {
        const giver = of(...held)
        fc.pre(covers(giver, given, where))
        const taker = authorityOfList(new Set(given), where === null ? null : [where], guarded)
        for (const name of permissions) {
          if (permits(taker, name)) expect(permits(giver, name), name).toBe(true)
          for (const environment of environments)
            if (permits(taker, name, { environment })) expect(permits(giver, name, { environment }), name).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('an administrator covers everything, and somebody of one environment nothing for all of them that acts', () => {
    expect(covers(of(role('admin')), permissions, null)).toBe(true)
    expect(covers(of(role('admin', 'staging')), ['rollouts:write'], null)).toBe(false)
    expect(covers(of(role('admin', 'staging')), ['rollouts:write'], 'staging')).toBe(true)
    expect(covers(of(role('admin', 'staging')), ['settings:write'], 'staging')).toBe(false)
  })
})
