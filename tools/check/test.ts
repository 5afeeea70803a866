import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChromium } from '../../apps/server/test/chromium.ts'
import { findPython } from '../../apps/server/test/python.ts'
import { hasRadosgw } from '../../apps/server/test/radosgw.ts'
import { folderInMemory } from './folder-in-memory.ts'
import { type Ran, runCommand } from './run-command.ts'
import {
  addUp,
  filesThatFailed,
  type LaneResult,
  readReport,
  readRequired,
  summary,
  withSecondTry,
} from './test-results.ts'

/**
 * `npm test`: the checks, then every lane. `npm test database wire` runs those alone; the checks are the lane `check`.
 * Everything runs even when something failed, so that one run tells everything.
 */
type Lane = {
  readonly name: string
  /** Said when the lane cannot run here: what is missing and how to get it. */
  readonly missing?: string
  /** Begins beside the lanes before it; `run` waits for its end. */
  readonly begin?: () => void
  readonly run: () => Promise<LaneResult>
}

/** A few files can have met a starved machine; more than these mean that something is broken. */
const filesTriedAgainMax = 5

const missingRadosgw =
  'no radosgw was found: apt-get update && apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd'

const postgres15 = process.env['TEST_POSTGRES15_URL']
const required = readRequired(process.env['TEST_REQUIRE'])

const lanes: readonly Lane[] = [
  check('format'),
  check('lint'),
  check('layers'),
  check('dead'),
  // Each of these keeps one core busy for more than a minute.
  besideOthers('types'),
  tests('unit', 'unit'),
  tests('database', 'database'),
  tests('wire', 'wire'),
  {
    ...tests('browser', 'browser'),
    ...(findChromium() ? {} : { missing: missingBrowser() }),
  },
  {
    ...tests('anchor', 'anchor'),
    ...(hasRadosgw ? {} : { missing: missingRadosgw }),
  },
  tests('faults', 'faults'),
  onPostgres15('database'),
  onPostgres15('wire'),
]

const wanted = process.argv.slice(2)
const unknown = wanted.find((word) => !lanes.some((lane) => lane.name.split(' ')[0] === word))
if (unknown) {
  const names = new Set(lanes.map((lane) => lane.name.split(' ')[0]))
  console.error(`There is no lane called ${unknown}. Lanes: ${[...names].join(', ')}`)
  process.exit(2)
}

const inMemory = folderInMemory()
if (inMemory) process.env['TMPDIR'] = inMemory

const chosen = lanes.filter(({ name }) => wanted.length === 0 || wanted.includes(name.split(' ')[0] ?? ''))
for (const lane of chosen) lane.begin?.()
const results: LaneResult[] = []
for (const lane of chosen) {
  if (lane.missing) {
    results.push({ name: lane.name, passed: 0, failed: 0, seconds: 0, notRun: [lane.missing] })
    continue
  }
  console.log(`\n— ${lane.name}`)
  results.push(await lane.run())
}

const total = addUp(results, required, {
  hasRedis: Boolean(process.env['TEST_REDIS_URL']),
  hasPython: findPython() !== undefined,
  isWhole: wanted.length === 0,
})
console.log(`\n${summary(results, total).join('\n')}`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1

function check(what: string): Lane {
  return {
    name: `check ${what}`,
    run: async () => {
      return checked(what, await runCommand('npm', ['run', '--silent', `check:${what}`]))
    },
  }
}

function besideOthers(what: string): Lane {
  let running: Promise<Ran> | undefined
  const begin = (): Promise<Ran> =>
    (running ??= runCommand('npm', ['run', '--silent', `check:${what}`], { isKept: true }))
  return {
    name: `check ${what}`,
    begin: () => void begin(),
    run: async () => {
      const ran = await begin()
      process.stdout.write(ran.output)
      return checked(what, ran)
    },
  }
}

function checked(what: string, { code, seconds }: Ran): LaneResult {
  return { name: `check ${what}`, passed: 0, failed: code === 0 ? 0 : 1, seconds, notRun: [] }
}

function tests(name: string, project: string, env: Readonly<Record<string, string>> = {}): Lane {
  return {
    name,
    run: async () => {
      const first = await runProject(project, [], env)
      const failed = filesThatFailed(first.report)
      if (!process.env['CI'] || failed.length === 0 || failed.length > filesTriedAgainMax) {
        return { name, seconds: first.seconds, ...readReport(first.report, first.code) }
      }
      console.log(`\n— ${name}: once more, alone: ${failed.join(', ')}`)
      const second = await runProject(project, failed, env)
      const seconds = first.seconds + second.seconds
      if (first.report === undefined || second.report === undefined) {
        return { name, seconds, ...readReport(second.report, second.code) }
      }
      return { name, seconds, ...readReport(withSecondTry(first.report, second.report), second.code) }
    },
  }
}

type Run = { readonly code: number; readonly seconds: number; readonly report: string | undefined }

async function runProject(
  project: string,
  files: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-report-'))
  const path = join(folder, 'report.json')
  try {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${path}`]
    const { code, seconds } = await runCommand('vitest', ['run', '--project', project, ...files, ...reporters], { env })
    return { code, seconds, report: readIfThere(path) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function onPostgres15(project: string): Lane {
  const name = `${project} on PostgreSQL 15`
  if (postgres15) return tests(name, project, { TEST_DATABASE_URL: postgres15, TEST_POSTGRES_MAJOR: '15' })
  return {
    ...tests(name, project),
    missing: 'set TEST_POSTGRES15_URL to a PostgreSQL 15 for tests, with a role that is a superuser',
  }
}

function missingBrowser(): string {
  const files = globSync('**/*.browser.test.ts', { exclude: ['**/node_modules/**'] })
  const remedy = 'no Chromium was found: apt-get update && apt-get install -y --no-install-recommends chromium'
  return [remedy, ...files.map((file) => `    ${file}`)].join('\n')
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Vitest died before it could write one; its exit code says so.
    return undefined
  }
}
