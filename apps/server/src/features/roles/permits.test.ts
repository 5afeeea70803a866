import { type Permission, permissionRows, permissions } from '@countersign/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { authorityOf, authorityOfList, covers, demand, type GrantRow, permits, permittedIn } from './permits.ts'
import type { Authority } from './principal.ts'
import { builtInRoles } from './roles.ts'

const guarded = ['production']
const of = (...grants: readonly GrantRow[]) => authorityOf(grants, guarded)
const role = (name: string, environment: string | null = null, rack: string | null = null): GrantRow => ({
  role: name,
  environment,
  rack,
})

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
    const unknown = of({ role: 'own', environment: null, rack: null, permissions: ['rockets:launch', 'fleet:read'] })
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
    const opener = { role: 'opener', environment: null, rack: null, permissions: ['protected:write', 'fleet:read'] }
    const who = of(role('deployer'), opener)
    expect(permits(who, 'rollouts:write', { environment: 'production' })).toBe(false)
    const both = { role: 'both', environment: null, rack: null, permissions: ['protected:write', 'rollouts:write'] }
    expect(permits(of(both), 'rollouts:write', { environment: 'production' })).toBe(true)
  })

  test('an approver of production decides there although it is protected: deciding is what guards it', () => {
    expect(permits(of(role('approver', 'production')), 'approval:decide', { environment: 'production' })).toBe(true)
  })

  test('a role for one rack acts on that rack alone: not on another, not in the environment around it, not on its own', () => {
    const who = of(role('deployer', null, 'east'))
    expect(permits(who, 'rack-deploys:write', { environment: 'staging', rack: 'east' })).toBe(true)
    expect(permits(who, 'rack-processes:write', { environment: 'development', rack: 'east' })).toBe(true)
    expect(permits(who, 'rack-deploys:write', { environment: 'staging', rack: 'west' })).toBe(false)
    expect(permits(who, 'rack-deploys:write', { environment: 'staging' })).toBe(false)
    for (const name of ['rollouts:write', 'keys:write', 'fleet:manage'] as const) {
      expect(permits(who, name)).toBe(false)
      expect(permits(who, name, { environment: 'staging', rack: 'east' })).toBe(false)
    }
    expect(permits(of(role('admin', null, 'east')), 'people:write')).toBe(false)
    expect(permits(who, 'events:read')).toBe(true)
  })

  test('a role for a rack in an environment holds only while the rack is there', () => {
    const who = of(role('ops', 'staging', 'east'))
    expect(permits(who, 'rack-processes:write', { environment: 'staging', rack: 'east' })).toBe(true)
    expect(permits(who, 'rack-processes:write', { environment: 'development', rack: 'east' })).toBe(false)
  })

  test('ops runs processes and deployer deploys on every rack outside production, viewer and ops deploy on none', () => {
    for (const rack of ['east', 'acme/west']) {
      const [staging, production] = [
        { environment: 'staging', rack },
        { environment: 'production', rack },
      ]
      expect(permits(of(role('ops')), 'rack-processes:write', staging)).toBe(true)
      expect(permits(of(role('ops')), 'rack-processes:write', production)).toBe(false)
      expect(permits(of(role('ops')), 'rack-deploys:write', staging)).toBe(false)
      expect(permits(of(role('deployer')), 'rack-deploys:write', staging)).toBe(true)
      expect(permits(of(role('deployer')), 'rack-deploys:write', production)).toBe(false)
      expect(permits(of(role('viewer')), 'rack-processes:write', staging)).toBe(false)
      expect(permits(of(role('admin')), 'rack-deploys:write', production)).toBe(true)
    }
    const own = { role: 'own', rack: 'east', permissions: ['protected:write', 'rack-deploys:write'] }
    const who = of({ ...own, environment: 'production' })
    expect(permits(who, 'rack-deploys:write', { environment: 'production', rack: 'east' })).toBe(true)
    expect(permits(who, 'rack-deploys:write', { environment: 'production', rack: 'west' })).toBe(false)
    expect(permits(who, 'rack-deploys:write', { environment: 'staging', rack: 'east' })).toBe(false)
  })

  test('pages are told by environment what can be done there', () => {
    const told = permittedIn(of(role('deployer', 'staging')), ['staging', 'production'])
    expect(told['staging']).toContain('rollouts:write')
    expect(told['production']).toEqual([])
  })
})

const environments = ['production', 'staging', 'development'] as const
const place = fc.option(fc.constantFrom(...environments), { nil: null })
const racks = ['east', 'west'] as const
const onRack = fc.option(fc.constantFrom(...racks), { nil: null })
const list = fc.subarray([...permissions])
const grants = fc.array(
  fc.oneof(
    fc.record({ role: fc.constantFrom(...builtInRoles.map(({ name }) => name)), environment: place, rack: onRack }),
    fc.record({ role: fc.constant('own'), environment: place, rack: onRack, permissions: list }),
  ),
  { maxLength: 4 },
)

describe('nobody grants more than they hold', () => {
  const wheres = environments.flatMap((environment) => [
    { environment },
    ...racks.map((rack) => ({ environment, rack })),
  ])
  const demandNoMore = (taker: Authority, giver: Authority): void => {
    for (const name of permissions) {
      if (permits(taker, name)) expect(permits(giver, name), name).toBe(true)
      for (const where of wheres)
        if (permits(taker, name, where))
          expect(permits(giver, name, where), `${name} ${JSON.stringify(where)}`).toBe(true)
    }
  }

  test('whoever is given a role the giver covers can do nothing the giver cannot, in no environment and on no rack', () => {
    fc.assert(
      fc.property(grants, list, place, onRack, (held, given: readonly Permission[], environment, rack) => {
        const giver = of(...held)
        fc.pre(covers(giver, given, environment, rack))
        demandNoMore(of({ role: 'own', environment, rack, permissions: given }), giver)
      }),
      { numRuns: 500 },
    )
  })

  test('nor can a token whose list of permissions its maker covers', () => {
    fc.assert(
      fc.property(grants, list, place, (held, given: readonly Permission[], environment) => {
        const giver = of(...held)
        fc.pre(covers(giver, given, environment))
        demandNoMore(authorityOfList(new Set(given), environment === null ? null : [environment], guarded), giver)
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
