import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../server/src/kernel/clock.ts'
import { accessFaults, type ConsoleScene, lookAt, openConsole } from '../../server/test/console-scene.ts'
import { factorsScene } from '../../server/test/factors-scene.ts'

const clock = systemClock()
let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole({ clock })
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

test('somebody is invited, joins by the link, which works once, is given another role, and is suspended with a reason', async () => {
  const admin = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(admin)
  await open('/people')
  await page.getByRole('button', { name: 'Invite' }).click(patiently)
  const invite = page.getByRole('dialog', { name: 'Invite somebody' })
  const email = `kim-${admin.email}`
  await invite.getByLabel('E-mail address').fill(email)
  await invite.getByRole('combobox', { name: 'Role 1', exact: true }).click()
  await page.getByRole('option', { name: 'Approver' }).click()
  await invite.getByRole('combobox', { name: 'Where role 1 holds' }).click()
  await page.getByRole('option', { name: 'in staging' }).click()
  expect(await accessFaults(page)).toEqual([])
  await invite.getByRole('button', { name: 'Make the invitation' }).click()
  const once = page.getByRole('dialog', { name: 'Copy the link now' })
  const link = (await once.locator('code').first().textContent(patiently)) ?? ''
  expect(link).toContain('/join#')
  await once.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('gridcell', { name: 'approver in staging' }).waitFor(patiently)
  expect(await page.content()).not.toContain(link.split('#')[1])

  // A press puts the list in order, the next turns it round, and the address keeps it.
  const sessions = page.getByRole('columnheader', { name: 'Sessions' })
  const firstRow = page.getByRole('row').nth(1)
  for (const [direction, first] of [
    ['descending', admin.email],
    ['ascending', email],
  ] as const) {
    await sessions.getByRole('button').click()
    await firstRow.getByText(first, { exact: true }).first().waitFor()
    expect(await sessions.getAttribute('aria-sort')).toBe(direction)
    expect(new URL(page.url()).searchParams.get('sort')).toBe(direction === 'descending' ? '-sessions' : 'sessions')
  }

  const joining = await scene.newPage()
  const { pathname, hash } = new URL(link)
  await joining.open(`${pathname}${hash}`)
  await joining.page.getByRole('heading', { name: /^Join / }).waitFor(patiently)
  await joining.page.getByLabel('Your name').fill('Kim')
  await joining.page.getByLabel('Password', { exact: true }).fill('four random words do well')
  await joining.page.getByLabel('Password again', { exact: true }).fill('four random words do well')
  expect(await accessFaults(joining.page)).toEqual([])
  await joining.page.getByRole('button', { name: 'Join' }).click()
  await joining.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor(patiently)
  expect(joining.page.url()).not.toContain('#')
  const again = await scene.newPage()
  await again.open(`${pathname}${hash}`)
  await again.page.getByRole('heading', { name: 'This link does not work' }).waitFor(patiently)

  await page.getByRole('gridcell', { name: /^Kim/ }).click(patiently)
  await page.getByRole('heading', { name: 'Kim', level: 1 }).waitFor(patiently)
  const roles = page.getByRole('form', { name: 'Roles' })
  await roles.getByRole('button', { name: 'Another role' }).click()
  await roles.getByRole('button', { name: 'Change the roles' }).click()
  await page.getByText('approver in staging, viewer', { exact: true }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])

  await page.getByRole('button', { name: 'Suspend', exact: true }).click()
  const suspend = page.getByRole('dialog', { name: /^Suspend/ })
  expect(await suspend.getByRole('button', { name: 'Suspend', exact: true }).isDisabled()).toBe(true)
  await suspend.getByLabel('Reason').fill('Left the team')
  await suspend.getByRole('button', { name: 'Suspend', exact: true }).click()
  await page.getByText('Left the team').waitFor(patiently)
  // The other one is out at once, wherever that page stood.
  await joining.page.getByRole('heading', { name: /Sign in/ }).waitFor(patiently)
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  const remove = page.getByRole('dialog', { name: /^Remove/ })
  await remove.getByLabel(/^Type/).fill(email)
  await remove.getByRole('button', { name: 'Remove the person' }).click()
  await page.getByRole('heading', { name: 'People', level: 1 }).waitFor(patiently)
  await expect.poll(() => page.getByRole('gridcell', { name: /^Kim/ }).count(), patiently).toBe(0)
  expect(faults).toEqual([])
})

test('a role is made to need a factor, a lost one is removed by an administrator, and the person is told once', async () => {
  const admin = await scene.server.newTenant()
  const kim = await scene.server.newPerson(admin, [{ role: 'viewer', environment: null }])
  const { cookie } = await factorsScene(scene.server, clock).withTotp(kim.cookie)
  const { page, faults, open } = await scene.newPage(admin)
  await open('/roles?open=auditor')
  const needs = page.getByRole('switch', { name: 'Its holders need a second factor' })
  await needs.click(patiently)
  await page.getByText('Auditor needs a second factor').waitFor(patiently)
  expect(await needs.isChecked()).toBe(true)

  await open(`/people/${kim.person}`)
  await page.getByText('Authenticator app since').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('button', { name: 'Reset factors' }).click()
  const reset = page.getByRole('dialog', { name: /^Remove all second factors/ })
  await reset.getByRole('button', { name: 'Reset factors' }).click()
  await page.getByText('has no second factor any more').waitFor(patiently)
  expect((await scene.server.call('GET', '/api/v2/session', { cookie })).status).toBe(401)

  const again = await scene.newPage({ ...kim, cookie: await scene.server.signIn(kim.email) })
  await again.open('/')
  await again.page.getByText('Your second factors were removed').waitFor(patiently)
  await again.page.getByText(`By ${admin.email}`).waitFor(patiently)
  expect(await accessFaults(again.page)).toEqual([])
  await again.page.getByRole('button', { name: 'I know of it' }).click()
  await again.page.getByText('Your second factors were removed').waitFor({ state: 'detached', ...patiently })
  expect([...faults, ...again.faults]).toEqual([])
})

test('a role of one’s own is made from another, given by nobody who holds less, and removed when nobody holds it', async () => {
  const admin = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(admin)
  await open('/roles')
  const matrix = page.getByRole('region', { name: 'Permissions by role' })
  await matrix.getByRole('button', { name: 'Auditor' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('button', { name: 'Make a role' }).click()
  const form = page.getByRole('dialog', { name: 'Make a role' })
  await form.getByLabel('Title').fill('Night shift')
  await form.getByText('Its name in the API: night-shift').waitFor()
  await form.getByRole('combobox', { name: 'Begin with' }).click()
  await page.getByRole('option', { name: 'Viewer' }).click()
  await form.getByRole('checkbox', { name: 'Approve or deny held calls' }).check()
  expect(await accessFaults(page)).toEqual([])
  await form.getByRole('button', { name: 'Make the role' }).click()
  const drawer = page.getByRole('dialog', { name: 'Night shift' })
  await drawer.getByText('Nobody holds it').waitFor(patiently)
  await drawer.getByRole('button', { name: 'Remove the role' }).click()
  const remove = page.getByRole('dialog', { name: 'Remove Night shift' })
  await remove.getByLabel(/^Type/).fill('night-shift')
  await remove.getByRole('button', { name: 'Remove the role' }).click()
  await expect.poll(() => matrix.getByRole('button', { name: 'Night shift' }).count(), patiently).toBe(0)
  expect(faults).toEqual([])
})

test('a token is made from a role, shown once with programs, works, is rotated, and is refused once it is revoked', async () => {
  const admin = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(admin)
  await open('/tokens')
  await page.getByRole('heading', { name: 'No API token yet' }).waitFor(patiently)
  await page.getByRole('button', { name: 'Make a token' }).first().click()
  const form = page.getByRole('dialog', { name: 'Make an API token' })
  await form.getByLabel('Name').fill('release pipeline')
  await form.getByRole('combobox', { name: 'Begin with the permissions of a role' }).click()
  await page.getByRole('option', { name: 'CI/CD' }).click()
  expect(await accessFaults(page)).toEqual([])
  await form.getByRole('button', { name: 'Make the token' }).click()
  const once = page.getByRole('dialog', { name: 'Copy the token now' })
  const token = (await once.locator('code').first().textContent(patiently)) ?? ''
  expect(token).toMatch(/^rgw_/)
  expect(await once.getByRole('region', { name: 'curl example' }).textContent()).toContain(token)
  expect(await accessFaults(page)).toEqual([])
  const ask = async (value: string): Promise<number> =>
    (await scene.server.call('GET', '/api/v2/rulesets', { headers: { authorization: `Bearer ${value}` } })).status
  expect(await ask(token)).toBe(200)
  await once.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('gridcell', { name: 'release pipeline' }).click(patiently)
  const drawer = page.getByRole('dialog', { name: 'release pipeline', exact: true })
  await drawer.getByRole('button', { name: 'Rotate' }).click()
  const rotate = page.getByRole('dialog', { name: 'Rotate release pipeline' })
  await rotate.getByRole('combobox', { name: 'The old one works for' }).click()
  await page.getByRole('option', { name: 'Not at all' }).click()
  await rotate.getByRole('button', { name: 'Make the new value' }).click()
  const second = (await once.locator('code').first().textContent(patiently)) ?? ''
  expect(second).not.toBe(token)
  await once.getByRole('button', { name: 'I have copied it' }).click()
  expect([await ask(token), await ask(second)]).toEqual([401, 200])
  await drawer.getByRole('button', { name: 'Revoke the token' }).click()
  const revoke = page.getByRole('dialog', { name: 'Revoke release pipeline' })
  await revoke.getByLabel(/^Type/).fill('release pipeline')
  await revoke.getByRole('button', { name: 'Revoke the token' }).click()
  await page.getByText('release pipeline was revoked').waitFor(patiently)
  expect(await ask(second)).toBe(401)
  expect(faults).toEqual([])
})

test('somebody who may make keys outside production is offered no button that production would refuse', async () => {
  const admin = await scene.server.newTenant()
  await scene.server.newKey(admin, 'production', { label: 'of production' })
  await scene.server.newKey(admin, 'staging', { label: 'of staging' })
  const ops = await scene.server.newPerson(admin, [{ role: 'ops', environment: null }])
  const { page, faults, open } = await scene.newPage(ops)
  await open('/keys')
  await page.getByRole('gridcell', { name: 'of production' }).click(patiently)
  const drawer = page.getByRole('dialog')
  await drawer.getByText('edk_production').first().waitFor(patiently)
  expect(await drawer.getByRole('button', { name: /Revoke/ }).count()).toBe(0)
  await page.keyboard.press('Escape')
  await page.getByRole('gridcell', { name: 'of staging' }).click(patiently)
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /Revoke/ })
    .waitFor(patiently)

  await open('/keys?make=true&environment=production')
  await page.getByRole('combobox', { name: 'Environment' }).last().click(patiently)
  await page.getByRole('option', { name: 'staging' }).waitFor(patiently)
  expect(await page.getByRole('option', { name: 'production' }).count()).toBe(0)
  expect(faults).toEqual([])
})

test('a viewer sees neither the entries nor the pages of administration, and the API refuses them; an auditor reads and changes nothing', async () => {
  const admin = await scene.server.newTenant()
  const viewer = await scene.server.newPerson(admin, [{ role: 'viewer', environment: null }])
  const { page, open } = await scene.newPage(viewer)
  await open('/')
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor(patiently)
  const entries = page.getByRole('navigation', { name: 'Main' })
  expect(await entries.getByRole('link', { name: 'Rulesets' }).count()).toBe(1)
  for (const name of ['People', 'Roles', 'API tokens', 'Jobs', 'Settings', 'Trail'])
    expect([name, await entries.getByRole('link', { name, exact: true }).count()]).toEqual([name, 0])
  for (const path of ['/people', '/roles', '/tokens', '/jobs']) {
    expect((await scene.server.call('GET', `/api/v2${path}`, { cookie: viewer.cookie })).status).toBe(403)
    await open(path)
    await page.getByText(/needs the permission/).waitFor(patiently)
  }

  const auditor = await scene.server.newPerson(admin, [{ role: 'auditor', environment: null }])
  const reading = await scene.newPage(auditor)
  await reading.open('/people')
  await reading.page.getByRole('gridcell', { name: admin.email }).first().click(patiently)
  await reading.page.getByRole('region', { name: 'Sessions' }).waitFor(patiently)
  expect(
    await reading.page.getByRole('button', { name: /^(Suspend|Remove|Save|Sign out everywhere|End)$/ }).count(),
  ).toBe(0)
  for (const [path, button] of [
    ['/people', 'Invite'],
    ['/roles', 'Make a role'],
    ['/tokens', 'Make a token'],
  ] as const) {
    await reading.open(path)
    await reading.page.getByRole('heading', { level: 1 }).waitFor(patiently)
    await expect.poll(() => reading.page.getByRole('status', { name: 'Loading' }).count(), patiently).toBe(0)
    expect([path, await reading.page.getByRole('button', { name: button }).count()]).toEqual([path, 0])
  }
  expect(reading.faults).toEqual([])
})

test('people, roles and tokens can be read by everybody and are never wider than the screen', async () => {
  const admin = await scene.server.newTenant()
  const other = await scene.server.newPerson(admin, [
    { role: 'deployer', environment: 'staging' },
    { role: 'viewer', environment: null },
  ])
  const made = await scene.server.call('POST', '/api/v2/tokens', {
    cookie: admin.cookie,
    body: {
      name: 'release pipeline of the shop',
      permissions: ['rulesets:read', 'rulesets:write'],
      environments: ['staging'],
    },
  })
  expect(made.status, made.text).toBe(201)
  const { page, faults, open } = await scene.newPage(admin)
  await lookAt(
    { page, open },
    {
      paths: [
        '/people',
        `/people/${other.person}`,
        '/people?invite=true',
        '/roles',
        '/roles?open=deployer',
        '/roles?new=true',
        '/tokens',
        `/tokens?token=${(made.body as { id: string }).id}`,
        '/tokens?make=true',
      ],
    },
  )
  expect(faults).toEqual([])
})
