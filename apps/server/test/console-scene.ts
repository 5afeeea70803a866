import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Clock } from '../src/kernel/clock.ts'
import { findChromium } from './chromium.ts'
import { testDatabase } from './database.ts'
import { freePort } from './free-port.ts'
import { type TestTenant, testServer } from './server.ts'

/** A page on a busy machine. */
const patiently = { timeout: 30_000 }

export type ConsoleScene = Awaited<ReturnType<typeof openConsole>>

type SceneOptions = {
  readonly clock?: Clock
  readonly withPasskeys?: boolean
  readonly environment?: Readonly<Record<string, string>>
}

/** The whole server with the console as it is built, and the system's browser in front of it; on a standing clock for tests that move time. */
export async function openConsole({ withPasskeys = false, environment: given = {}, ...options }: SceneOptions = {}) {
  const database = await testDatabase()
  const port = withPasskeys ? await freePort() : 0
  // Passkeys are made for the address that the server believes it has.
  const environment = { ...given, ...(withPasskeys && { COUNTERSIGN_BASE_URL: `http://localhost:${port}` }) }
  const server = await testServer({ databaseUrl: database.url, port, environment, ...options })
  const browser = await launch()
  // The name, not the address: that is what people open, and the only one that the server does not redirect.
  const origin = server.url.replace('127.0.0.1', 'localhost')

  /** A page of a browser of its own, and whatever went wrong in it. Signed in when a tenant is given. */
  const newPage = async (tenant?: TestTenant, options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
    if (tenant) {
      const [name = '', value = ''] = tenant.cookie.split('=')
      await context.addCookies([{ name, value, url: origin }])
    }
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', ({ message }) => faults.push(message))
    page.on('console', (message) => {
      // An answer that refuses something is logged by the browser too; pages show it and tests look for that.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        faults.push(message.text())
    })
    return { page, faults, open: (path: string) => page.goto(`${origin}${path}`) }
  }
  return {
    server,
    origin,
    newPage,
    /** As `testServer` gives it to the server. */
    setupToken: 'the set-up token of the tests',
    /** After each test: a session has room for a few open streams only, and a forgotten page would hold one. */
    closePages: async () => {
      for (const context of browser.contexts()) await context.close()
    },
    stop: async () => {
      await browser.close()
      await server.stop()
      await database.drop()
    },
  }
}

export const telephone = { colorScheme: 'dark', viewport: { width: 390, height: 844 } } as const
const sights = [{ colorScheme: 'light', viewport: { width: 1440, height: 900 } }, telephone] as const

type Sights = {
  readonly paths: readonly string[]
  /** Resolves once the page shows what it is about. */
  readonly isShown?: (path: string) => Promise<unknown>
  readonly at?: readonly (typeof sights)[number][]
}

/**
 * Opens each page and looks at it, wide in the light and on a telephone in the dark unless told otherwise: it can be read
 * and used by everybody and is never wider than the screen; within the frame the page alone scrolls, never the document beside it. It is loaded once and follows the change as a turned screen does.
 */
export async function lookAt(
  { page, open }: Pick<Awaited<ReturnType<ConsoleScene['newPage']>>, 'page' | 'open'>,
  {
    paths,
    isShown = () => page.getByRole('heading', { level: 1, includeHidden: true }).waitFor(patiently),
    at = sights,
  }: Sights,
): Promise<void> {
  for (const path of paths) {
    await open(path)
    await isShown(path)
    await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count(), patiently).toBe(0)
    for (const { colorScheme, viewport } of at) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize(viewport)
      await page.locator(`:root[data-mantine-color-scheme=${colorScheme}]`).waitFor(patiently)
      const seen = `${path}, ${colorScheme}, ${viewport.width}`
      expect(await accessFaults(page), seen).toEqual([])
      const [wide, room] = await page.evaluate<readonly number[]>('[document.documentElement.scrollWidth, innerWidth]')
      expect(wide, seen).toBeLessThanOrEqual(room ?? 0)
      const tooTall = await page.evaluate<number>(
        `document.querySelector('main') ? document.documentElement.scrollHeight - innerHeight : 0`,
      )
      expect(tooTall, `${seen}: the document scrolls too, px`).toBeLessThanOrEqual(0)
    }
  }
}

/** What a reader with another way of seeing or pointing would stumble over, in words; empty when nothing was found. */
export async function accessFaults(page: Page): Promise<readonly string[]> {
  // Half a megabyte, which stays until the page is left.
  if (!(await page.evaluate<boolean>(`'axe' in globalThis`))) await page.evaluate(axe.source)
  await settle(page)
  const found: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'], preload: false,
       runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
       .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ')))`,
  )
  return Array.isArray(found) ? found.map(String) : ['axe gave no answer']
}

/**
 * Resolves once nothing moves or changes its color for two frames: what is on its way has a contrast that nobody reads.
 * What turns for ever is not waited for.
 */
async function settle(page: Page): Promise<void> {
  await page.evaluate(`(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))
    const moving = () => document.getAnimations()
      .filter(({ playState, effect }) => playState === 'running' && effect?.getComputedTiming().endTime !== Infinity)
    for (let still = 0; still < 2; still += 1) {
      await frame()
      if (moving().length === 0) continue
      await Promise.allSettled(moving().map(({ finished }) => finished))
      still = -1
    }
  })()`)
}

function launch(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('Browser tests need a Chromium: apt-get install chromium')
  return chromium.launch({ executablePath, args: ['--disable-dev-shm-usage'] })
}
