import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, lookAt, openConsole, telephone } from '../../server/test/console-scene.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

test('a rule is written, gets a second version, is put into a composition, and becomes a revision to be reviewed', async () => {
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/library')
  await page.getByRole('heading', { name: 'No rule in the library yet' }).waitFor(patiently)
  await page.getByRole('button', { name: 'Write the first one' }).click()
  const form = page.getByRole('dialog', { name: 'New rule' })
  await form.getByRole('textbox', { name: 'Name' }).fill('No secrets')
  expect(await form.getByRole('textbox', { name: 'Id', exact: true }).inputValue()).toBe('no-secrets')
  const text = form.getByRole('textbox', { name: 'Rule as YAML' })
  await text.waitFor(patiently)
  await text.focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('tool: [')
  await form.getByRole('button', { name: 'Put it into the library' }).click()
  await form.getByText('The rule was not accepted.').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  for (const _ of 'tool: [') await page.keyboard.press('Backspace')
  await text.focus()
  await page.keyboard.press('Control+End')
  for (const _ of 'tool: [') await page.keyboard.press('Backspace')
  await form.getByRole('button', { name: 'Put it into the library' }).click()
  const drawer = page.getByRole('dialog', { name: 'No secrets' })
  await drawer.getByText('no composition').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await drawer.getByRole('button', { name: 'Write the next version' }).click()
  const second = page.getByRole('dialog', { name: 'v2 of no-secrets' })
  await second.getByRole('textbox', { name: 'Description' }).fill('Nobody reads secrets')
  await second.getByRole('button', { name: 'Save v2' }).click()
  await drawer.getByText('Nobody reads secrets').waitFor(patiently)
  await page.keyboard.press('Escape')

  await page.getByRole('tab', { name: 'Compositions' }).click()
  await page.getByRole('button', { name: 'Make the first one' }).click(patiently)
  await page.getByRole('textbox', { name: 'Name' }).fill('careful')
  await page.keyboard.press('Enter')
  await page.getByText('No rule yet. Add one').waitFor(patiently)
  await page.getByRole('combobox', { name: 'Add a rule' }).click()
  await page.getByRole('option', { name: /^no-secrets/ }).click(patiently)
  await page.getByText('1 rule, not kept as a revision yet').waitFor(patiently)
  await page.getByRole('textbox', { name: 'Text of careful' }).getByText('no-secrets').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  const make = page.getByRole('button', { name: 'Make a revision' })
  await expect.poll(() => make.isEnabled(), patiently).toBe(true)
  await make.click()
  await page.getByRole('heading', { name: 'careful', level: 1 }).waitFor(patiently)
  await page.getByText('Choose an environment').waitFor(patiently)
  expect(faults).toEqual([])
})

test('a template is taken apart, and its rules are put in another order by key and by dragging', async () => {
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  const order = async (): Promise<readonly string[]> => {
    const answer = await scene.server.call('GET', '/api/v2/compositions/files-agent', { cookie: tenant.cookie })
    return (answer.body as { items: { rule_id: string }[] }).items.map(({ rule_id }) => rule_id)
  }
  await open('/library?tab=templates')
  const files = page.getByRole('listitem').filter({ hasText: 'Agents that work on files' })
  expect(await accessFaults(page)).toEqual([])
  await files.getByRole('button', { name: 'Take into the library' }).click(patiently)
  await page.getByText(/rules, not kept as a revision yet/).waitFor(patiently)
  const name = new URL(page.url()).searchParams.get('composition')
  expect(name).toBe('files-agent')
  const before = await order()
  expect(before.length).toBeGreaterThan(2)
  const [first = '', second = '', third = ''] = before
  await page.getByRole('button', { name: `Move ${second} up` }).focus()
  await page.keyboard.press('Enter')
  await expect.poll(order, patiently).toEqual([second, first, ...before.slice(2)])
  const rows = page.getByRole('region', { name: 'Rules in their order' }).getByRole('listitem')
  await rows.filter({ hasText: third }).dragTo(rows.filter({ hasText: second }))
  await expect.poll(order, patiently).toEqual([third, second, first, ...before.slice(3)])
  // A mode of its own, and out again.
  await page.getByRole('combobox', { name: `Mode of ${first}` }).click()
  await page.getByRole('option', { name: 'observe' }).click()
  await page.getByRole('button', { name: `Take ${second} out` }).click()
  await expect.poll(order, patiently).toEqual([third, first, ...before.slice(3)])
  expect(await accessFaults(page)).toEqual([])

  await page.getByRole('tab', { name: 'Templates' }).click()
  await files.getByRole('button', { name: 'Begin a ruleset with it' }).click(patiently)
  await page.getByRole('heading', { name: 'New ruleset', level: 1 }).waitFor(patiently)
  await page.getByText(/^Valid: \d+ rules/).waitFor(patiently)
  expect(faults).toEqual([])
})

test('on a telephone in the dark the library is never wider than the screen', async () => {
  const tenant = await scene.server.newTenant()
  const { body } = await scene.server.call('GET', '/api/v2/library/templates', { cookie: tenant.cookie })
  const [template] = (body as { items: { yaml: string }[] }).items
  const taken = await scene.server.call('POST', '/api/v2/library/import', {
    cookie: tenant.cookie,
    body: { yaml: template?.yaml },
  })
  const { composition, created } = taken.body as { composition: string; created: string[] }
  const { page, faults, open } = await scene.newPage(tenant, telephone)
  await lookAt(
    { page, open },
    {
      at: [telephone],
      paths: [
        '/library',
        `/library?rule=${created[0]}`,
        '/library?new=true',
        '/library?tab=compositions',
        `/library?tab=compositions&composition=${composition}`,
        '/library?tab=templates',
      ],
    },
  )
  expect(faults).toEqual([])
})
