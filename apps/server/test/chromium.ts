import { existsSync } from 'node:fs'

const usual = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'].map(
  (name) => `/usr/bin/${name}`,
)

/** The browser that browser tests drive: TEST_CHROMIUM, or the system's own. */
export function findChromium(): string | undefined {
  return [process.env['TEST_CHROMIUM'] ?? '', ...usual].find((path) => path !== '' && existsSync(path))
}
