import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

const patiently = { timeout: 30_000 }

/** What only changes things says so on its button, on whichever page. */
const makers = /^(Add|Assign agents|Invite|Make|Upload|New|Anchor now|Rotate|Purge|Roll out|Approve|Deny)\b/

test.each([
  ['viewer', []],
  ['auditor', []],
  ['approver', ['Approve', 'Deny']],
] as const)(
  '%s walks every page there is for them: none asks for what it is refused, or offers what is',
  async (role, may) => {
    const admin = await scene.server.newTenant()
    const { key } = await scene.server.newKey(admin)
    const held = await scene.server.call('POST', '/v1/approvals', {
      key,
      agent: 'bot',
      body: { agent_id: 'bot', tool_name: 'deploy', tool_args: {}, message: 'go?', timeout: 600 },
    })
    expect(held.status, held.text).toBe(201)
    const person = await scene.server.newPerson(admin, [{ role, environment: null }])
    const { page, faults, open } = await scene.newPage(person)
    const refused: string[] = []
    page.on('response', (answer) => {
      if (answer.status() === 403) refused.push(`${answer.request().method()} ${new URL(answer.url()).pathname}`)
    })
    await open('/')
    const menu = page.getByRole('navigation', { name: 'Main' })
    await menu.waitFor(patiently)
    const links = await menu
      .getByRole('link')
      .evaluateAll((all) => [...new Set(all.map((one) => one.getAttribute('href') ?? ''))])
    for (const href of links) {
      await menu.locator(`a[href="${href}"]`).last().click(patiently)
      const { pathname } = new URL(href, scene.origin)
      await page.waitForURL((url) => url.pathname === pathname, patiently)
      await page.getByRole('heading', { level: 1 }).waitFor(patiently)
      await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count(), patiently).toBe(0)
      const offered = await page
        .getByRole('main')
        .getByRole('button', { name: makers, disabled: false })
        .allTextContents()
      const beyond = offered.filter((text) => !may.some((one) => text.startsWith(one)))
      expect.soft([pathname, beyond]).toEqual([pathname, []])
    }
    expect(links.length).toBeGreaterThan(6)
    expect(refused).toEqual([])
    expect(faults).toEqual([])
  },
)
