import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 20_000 }

let calls = 0

/** Stands for a number that no program could write by itself. */
const longNumber = 'a long number'

/** A tenant of its own with agents that report. */
async function reporter() {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  const report = async (agent: string, events: readonly object[]) => {
    const body = {
      events: events.map((event) => {
        calls += 1
        return {
          call_id: `call-${calls}`,
          agent_id: agent,
          tool_name: 'read_file',
          tool_args: {},
          action: 'call_allowed',
          mode: 'enforce',
          timestamp: new Date().toISOString(),
          ...event,
        }
      }),
    }
    const written = JSON.stringify(body).replaceAll(`"${longNumber}"`, '12345678901234567890')
    const answer = await scene.server.call('POST', '/v1/events', { key, agent, body: written })
    expect(answer.status, answer.text).toBe(200)
  }
  return { tenant, report, key }
}

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString()

test('before the first event the page says what to run, and the first event comes in by itself', async () => {
  const { tenant, report } = await reporter()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/events')
  await page.getByRole('heading', { name: 'No agent has reported a call yet' }).waitFor()
  await page.getByRole('tab', { name: 'curl' }).click()
  expect(await page.getByRole('region', { name: 'curl example' }).textContent()).toContain('/v1/events')
  expect(await accessFaults(page)).toEqual([])
  await report('build-1', [{ tool_name: 'first_tool' }])
  await page.getByRole('gridcell', { name: 'first_tool' }).waitFor()
  expect(faults).toEqual([])
})

test('filters are typed, clicked and left out, stand in the address, and the address brings them back', async () => {
  const { tenant, report } = await reporter()
  await report('build-1', [
    { tool_name: 'read_file', action: 'call_blocked', decision_name: 'no-secrets' },
    { tool_name: 'shell', action: 'call_blocked', decision_name: 'no-shell' },
    { tool_name: 'shell' },
  ])
  await report('deploy', [{ tool_name: 'shell', action: 'call_blocked', decision_name: 'no-shell' }])
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/events')
  const grid = page.getByRole('grid', { name: 'Events' })
  const rows = grid.locator('[data-index]')
  await expect.poll(() => rows.count(), patiently).toBe(4)
  // From the keyboard alone: to the bar, a completion, a pattern.
  await page.keyboard.press('/')
  await page.keyboard.type('verdict:blo')
  await page.getByRole('option', { name: 'blocked' }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await expect.poll(() => rows.count(), patiently).toBe(3)
  await page.keyboard.type('agent:build-*')
  await page.keyboard.press('Enter')
  await expect.poll(() => rows.count(), patiently).toBe(2)
  await page.getByRole('button', { name: 'Not tool shell' }).focus()
  await page.keyboard.press('Enter')
  await expect.poll(() => rows.count(), patiently).toBe(1)
  const address = page.url()
  expect(new URL(address).searchParams.get('filter')).toBe('verdict:blocked agent:build-* -tool:shell')
  // What is exported is what is filtered.
  await page.getByRole('button', { name: 'Export what is filtered' }).click()
  const csv = await page.getByRole('menuitem', { name: /CSV/ }).getAttribute('href')
  const lines = await page.evaluate(async (href) => (await (await fetch(href ?? '')).text()).trim().split('\r\n'), csv)
  expect(lines.length).toBe(2)
  expect(lines[1]).toContain('no-secrets')
  await page.keyboard.press('Escape')
  await page.goBack()
  await expect.poll(() => rows.count(), patiently).toBe(2)

  const other = await scene.newPage(tenant)
  await other.page.goto(address)
  await expect
    .poll(() => other.page.getByRole('grid', { name: 'Events' }).locator('[data-index]').count(), patiently)
    .toBe(1)
  await other.page.getByRole('button', { name: 'Clear' }).click()
  await expect
    .poll(() => other.page.getByRole('grid', { name: 'Events' }).locator('[data-index]').count(), patiently)
    .toBe(4)
  expect([faults, other.faults]).toEqual([[], []])
})

test('nothing moves under somebody who has scrolled: what is new is counted and shown when asked for', async () => {
  const { tenant, report } = await reporter()
  await report(
    'build-1',
    Array.from({ length: 120 }, (_, index) => ({ tool_name: `tool_${index}`, timestamp: ago(200 + index) })),
  )
  const { page, open } = await scene.newPage(tenant)
  await open('/events')
  const grid = page.getByRole('grid', { name: 'Events' })
  await grid.getByText('tool_0', { exact: true }).waitFor()
  await grid.getByText('tool_3', { exact: true }).hover()
  await page.mouse.wheel(0, 900)
  await grid.getByText('tool_30', { exact: true }).waitFor()
  await report('build-1', [{ tool_name: 'new_a' }, { tool_name: 'new_b' }, { tool_name: 'new_c' }])
  const more = page.getByRole('button', { name: 'Show 3 new events' })
  await more.waitFor()
  expect(await grid.getByText('tool_30', { exact: true }).isVisible()).toBe(true)
  expect(await grid.getByText('new_c', { exact: true }).count()).toBe(0)
  await more.click()
  await grid.getByText('new_c', { exact: true }).waitFor()
  expect(await more.count()).toBe(0)
  // At the top again, what comes is shown at once; paused, it is not.
  await report('build-1', [{ tool_name: 'new_d' }])
  await grid.getByText('new_d', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Live', exact: true }).click()
  await report('build-1', [{ tool_name: 'new_e' }])
  await page.getByRole('button', { name: 'Show 1 new event' }).waitFor()
})

test('nothing moves under somebody who has scrolled when the live stream comes late, and what came before it is counted', async () => {
  const { tenant, report } = await reporter()
  await report(
    'build-1',
    Array.from({ length: 120 }, (_, index) => ({ tool_name: `tool_${index}`, timestamp: ago(200 + index) })),
  )
  const { page, open } = await scene.newPage(tenant)
  const { promise: isLet, resolve: letStream } = Promise.withResolvers<void>()
  await page.route('**/api/v2/stream', async (route) => {
    await isLet
    await route.continue()
  })
  await open('/events')
  const grid = page.getByRole('grid', { name: 'Events' })
  await grid.getByText('tool_3', { exact: true }).hover()
  await page.mouse.wheel(0, 900)
  await grid.getByText('tool_30', { exact: true }).waitFor()
  await report('build-1', [{ tool_name: 'new_a' }, { tool_name: 'new_b' }])
  letStream()
  await page.getByRole('button', { name: 'Show 2 new events' }).waitFor()
  expect(await grid.getByText('tool_30', { exact: true }).isVisible()).toBe(true)
})

test('a call is told from asked to done, with every digit and no secret, and read on from the keyboard', async () => {
  const { tenant, report } = await reporter()
  const call = { call_id: 'the-call', tool_name: 'issue_refund' }
  const rules = [{ name: 'large-refund', type: 'precondition', passed: false, message: 'More than 500?' }]
  await report('billing', [
    { ...call, action: 'call_asked', decision_name: 'large-refund', rules_evaluated: rules, timestamp: ago(30) },
    { ...call, action: 'call_approval_granted', timestamp: ago(20) },
    {
      ...call,
      action: 'call_executed',
      duration_ms: 40,
      timestamp: ago(19),
      tool_args: { amount: longNumber, password: 'shh-1234567890' },
    },
  ])
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/events')
  const grid = page.getByRole('grid', { name: 'Events' })
  await expect.poll(() => grid.locator('[data-index]').count(), patiently).toBe(3)
  await grid.locator('[data-index="0"]').focus()
  await page.keyboard.press('Enter')
  const drawer = page.getByRole('dialog')
  await drawer.getByText('It ran for 40 ms.').waitFor()
  expect(
    await drawer
      .getByRole('listitem')
      .filter({ hasText: /later|Held/ })
      .count(),
  ).toBe(3)
  await drawer.getByText('10.0 s later').or(drawer.getByText('10 s later')).waitFor()
  await drawer.getByText('12345678901234567890').waitFor()
  await drawer.getByText('masked secret').first().waitFor()
  expect(await page.content()).not.toContain('shh-1234567890')
  expect(await accessFaults(page)).toEqual([])
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await drawer.getByText('More than 500?').waitFor()
  const link = page.url()
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'detached' })
  expect(new URL(page.url()).searchParams.get('event')).toBeNull()

  const other = await scene.newPage(tenant)
  await other.page.goto(link)
  await other.page.getByRole('dialog').getByText('More than 500?').waitFor()
  expect([faults, other.faults]).toEqual([[], []])
})

test('a bar of the histogram is reached and zoomed into without a mouse', async () => {
  const { tenant, report } = await reporter()
  await report('build-1', [{}, { timestamp: ago(7200) }])
  const { page, open } = await scene.newPage(tenant)
  await open('/events')
  const rows = page.getByRole('grid', { name: 'Events' }).locator('[data-index]')
  await expect.poll(() => rows.count(), patiently).toBe(2)
  await page.getByRole('application', { name: /^Events over time/ }).focus()
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('Enter')
  await expect.poll(() => rows.count(), patiently).toBe(1)
  expect(new URL(page.url()).searchParams.get('until')).not.toBeNull()
  // A range with an end has no live tail.
  expect(await page.getByRole('button', { name: 'Live', exact: true }).count()).toBe(0)
})

test('on a telephone in the dark everything is reached, and nothing is wider than the screen', async () => {
  const { tenant, report } = await reporter()
  await report('build-1', [{ tool_name: 'shell', action: 'call_blocked', decision_name: 'no-shell' }, {}])
  const { page, faults, open } = await scene.newPage(tenant, {
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
  })
  await open('/events')
  const rows = page.getByRole('grid', { name: 'Events' }).locator('[data-index]')
  await expect.poll(() => rows.count(), patiently).toBe(2)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('button', { name: 'Filter by count' }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^shell/ })
    .click()
  expect(await accessFaults(page)).toEqual([])
  await page.keyboard.press('Escape')
  await expect.poll(() => rows.count(), patiently).toBe(1)
  await rows.first().click()
  await page.getByRole('dialog').getByRole('heading', { name: 'shell' }).waitFor()
  expect(await accessFaults(page)).toEqual([])
  const wide = await page.evaluate(() => document.documentElement.scrollWidth)
  expect(wide).toBeLessThanOrEqual(390)
  expect(faults).toEqual([])
})
