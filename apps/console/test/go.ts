import type { Page } from 'playwright-core'

/** `g` and a letter lead to a page. The two count as a pair for a moment only, which a busy machine may miss: then once more. */
export async function go(page: Page, letter: string, heading: string): Promise<void> {
  const title = page.getByRole('heading', { name: heading, level: 1 })
  for (let tries = 0; tries < 8; tries += 1) {
    await page.keyboard.press('g')
    await page.keyboard.press(letter)
    const isThere = await title.waitFor({ timeout: 5_000 }).then(
      () => true,
      () => false,
    )
    if (isThere) return
  }
  throw new Error(`g ${letter} does not lead to ${heading}`)
}
