import { defineConfig } from 'vitest/config'

const globalSetup = ['apps/server/test/global-setup.ts']
const browser = '**/*.browser.test.ts'
const anchor = '**/*.anchor.test.ts'
const faults = '**/*.faults.test.ts'
// These bring their own PostgreSQL, so a second run on another server would tell nothing new.
const ownServer = process.env['TEST_POSTGRES_MAJOR']
  ? [
      'apps/server/src/boot/embedded-postgres.test.ts',
      'apps/server/test/failures/database-stopped.test.ts',
      'apps/server/test/failures/full-disk-start.test.ts',
      'apps/server/test/failures/really-full-disk.test.ts',
    ]
  : []
const ignored = ['**/node_modules/**', '**/dist/**']

/** The lanes of `npm test`; run one alone with `npm test database`, one file with `npx vitest run path/of/it.test.ts`. */
export default defineConfig({
  test: {
    // Not threads: where one ends while another calls WebAssembly (`fetch` does), V8 can end the whole process with
    // `jit_page.has_value()`, as in https://github.com/nodejs/node/issues/64500.
    pool: 'forks',
    // More fight over the database's disk.
    maxWorkers: 2,
    // In CI a test on a starved machine gets a second try, and its file a last one alone; the closing lines name every one that needed it.
    retry: process.env['CI'] ? 1 : 0,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/**/*.test.ts', 'apps/console/**/*.test.ts', 'tools/check/**/*.test.ts'],
          exclude: [...ignored, browser, 'packages/agent/test/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'database',
          include: [
            'apps/server/**/*.test.ts',
            'apps/cli/**/*.test.ts',
            'packages/agent/test/**/*.test.ts',
            'tools/**/*.test.ts',
            'bench/**/*.test.ts',
          ],
          exclude: [...ignored, browser, anchor, faults, 'apps/server/test/wire/**', 'tools/check/**', ...ownServer],
          globalSetup,
        },
      },
      {
        extends: true,
        test: {
          name: 'wire',
          include: ['apps/server/test/wire/**/*.test.ts'],
          exclude: [...ignored, browser],
          globalSetup,
        },
      },
      {
        extends: true,
        test: { name: 'anchor', include: [anchor], exclude: ignored, globalSetup },
      },
      { extends: true, test: { name: 'faults', include: [faults], exclude: ignored } },
      {
        extends: true,
        test: {
          name: 'browser',
          include: [browser],
          exclude: ignored,
          globalSetup: [...globalSetup, 'apps/server/test/console-setup.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
})
