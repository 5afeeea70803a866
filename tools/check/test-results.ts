export type LaneResult = {
  readonly name: string
  readonly passed: number
  readonly failed: number
  readonly seconds: number
  /** Titles of skipped tests, or what is missing for the whole lane. */
  readonly notRun: readonly string[]
  /** Titles of failed tests with the first line of what was wrong. */
  readonly failures?: readonly string[]
  /** Titles of tests that failed at first and passed when tried again. */
  readonly unsteady?: readonly string[]
}

export type Total = { readonly passed: number; readonly failed: number; readonly faults: readonly string[] }

const requirements = ['browser', 'full-disk', 'postgres15', 'python', 'radosgw', 'redis'] as const
export type Requirement = (typeof requirements)[number]

/** Many containers may not mount a file system, also where everything else must run: missing only when it was named. */
const needsMount = /a disk that is really full/

/** TEST_REQUIRE: what may not be missing. With it, a test that was not run counts as failed. */
export function readRequired(text: string | undefined): ReadonlySet<Requirement> {
  const words = (text ?? '').split(',').flatMap((word) => word.trim() || [])
  return new Set(
    words.map((word) => {
      const known = requirements.find((name) => name === word)
      if (!known) throw new Error(`TEST_REQUIRE names ${word}; it may name ${requirements.join(', ')}`)
      return known
    }),
  )
}

/** Reads Vitest's JSON report. An exit code that the report does not explain is a failure too. */
export function readReport(text: string | undefined, code: number): Omit<LaneResult, 'name' | 'seconds'> {
  if (text === undefined) return { passed: 0, failed: 1, notRun: [], failures: ['the run left no report'] }
  const report: Report = JSON.parse(text)
  const tests = report.testResults.flatMap((file) => file.assertionResults)
  const passed = tests.filter(({ status }) => status === 'passed')
  const failed = tests.filter(({ status }) => status === 'failed')
  const notRun = tests
    .filter(({ status }) => status !== 'passed' && status !== 'failed' && status !== neverEnded)
    .map(({ fullName }) => fullName)
  const files = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !hasFailed(assertionResults),
  )
  const cutOff = report.testResults.filter(wasCutOff)
  const failures = [
    ...failed.map((test) => `${test.fullName}: ${firstLine(test.failureMessages?.[0])}`),
    ...files.map((file) => `${file.name ?? 'a file'}: ${firstLine(file.message)}`),
    ...cutOff.map((file) => `${file.name ?? 'a file'}: ${endedEarly}`),
  ]
  const isUnexplained = failed.length === 0 && (code !== 0 || cutOff.length > 0 || passed.length + notRun.length === 0)
  if (isUnexplained && failures.length === 0) failures.push(`no test failed, yet the run exited with ${code}`)
  const unsteady = passed.filter((test) => (test.failureMessages?.length ?? 0) > 0).map(({ fullName }) => fullName)
  return { passed: passed.length, failed: isUnexplained ? 1 : failed.length, notRun, failures, unsteady }
}

/** The files in which something failed, or whose process ended too early, as Vitest's JSON report names them. */
export function filesThatFailed(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  const report: Report = JSON.parse(text)
  const failed = report.testResults.filter(
    (file) => file.status === 'failed' || hasFailed(file.assertionResults) || wasCutOff(file),
  )
  return failed.flatMap(({ name }) => name ?? [])
}

/**
 * The report of a run whose failed files were run once more: for those files the second word counts, and a test that
 * failed first and passed then keeps the first message, so that it is named as unsteady.
 */
export function withSecondTry(first: string, second: string): string {
  const before: Report = JSON.parse(first)
  const after: Report = JSON.parse(second)
  const again = new Map(after.testResults.map((file) => [file.name, file]))
  const testResults = before.testResults.map((file) => {
    const retried = again.get(file.name)
    if (!retried) return file
    const messages = new Map(
      file.assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName, failureMessages }) => [fullName, failureMessages ?? ['failed']]),
    )
    // One test stands for a file that was cut off.
    const standsFor = wasCutOff(file) ? retried.assertionResults[0]?.fullName : undefined
    const assertionResults = retried.assertionResults.map((test) => ({
      ...test,
      failureMessages: [
        ...(messages.get(test.fullName) ?? (test.fullName === standsFor ? [endedEarly] : [])),
        ...(test.failureMessages ?? []),
      ],
    }))
    return { ...retried, assertionResults }
  })
  return JSON.stringify({ testResults })
}

/** Vitest's word for a test that was never told to have ended; a skipped one is `skipped`. */
const neverEnded = 'pending'
const endedEarly = 'its process ended before its tests did'

type TestOutcome = {
  readonly status: string
  readonly fullName: string
  /** One a try, also of a test that passed in the end. */
  readonly failureMessages?: readonly string[]
}

type TestFile = {
  readonly name?: string
  readonly status?: string
  readonly message?: string
  readonly assertionResults: readonly TestOutcome[]
}

type Report = { readonly testResults: readonly TestFile[] }

/** Whether its process ended (a crash of the engine, a signal): Vitest calls such a file passed, with tests that never ended or none. */
function wasCutOff({ status, assertionResults }: TestFile): boolean {
  return (
    status === 'passed' &&
    (assertionResults.length === 0 || assertionResults.some((test) => test.status === neverEnded))
  )
}

function hasFailed(tests: readonly TestOutcome[]): boolean {
  return tests.some(({ status }) => status === 'failed')
}

function firstLine(message: string | undefined): string {
  return message?.split('\n')[0]?.trim() || 'no message'
}

/** What the run amounts to: the tests, and a fault for everything required that did not happen. */
export function addUp(
  results: readonly LaneResult[],
  required: ReadonlySet<Requirement>,
  {
    hasRedis,
    hasPython,
    isWhole,
  }: { readonly hasRedis: boolean; readonly hasPython: boolean; readonly isWhole: boolean },
): Total {
  const faults: string[] = []
  const hasRun = (name: string): boolean => results.some((lane) => lane.name === name && lane.passed + lane.failed > 0)
  if (isWhole && required.has('browser') && !hasRun('browser'))
    faults.push('browser tests are required and were not run')
  if (isWhole && required.has('postgres15') && !hasRun('database on PostgreSQL 15')) {
    faults.push('tests on PostgreSQL 15 are required and were not run')
  }
  if (isWhole && required.has('radosgw') && !hasRun('anchor'))
    faults.push('tests on radosgw are required and were not run')
  if (required.has('redis') && !hasRedis) faults.push('tests with Redis are required; set TEST_REDIS_URL')
  if (required.has('python') && !hasPython) {
    faults.push('the verifier in Python is required; install python3-cryptography')
  }
  if (required.size > 0) {
    for (const lane of results.filter(({ passed, failed }) => passed + failed > 0)) {
      const missed = lane.notRun.filter((title) => required.has('full-disk') || !needsMount.test(title))
      faults.push(...missed.map((title) => `${lane.name}: required and not run: ${title}`))
    }
  }
  const passed = results.reduce((sum, lane) => sum + lane.passed, 0)
  const failed = results.reduce((sum, lane) => sum + lane.failed, 0)
  return { passed, failed: failed + faults.length, faults }
}

/** The closing lines; the last one stands alone, for machines. */
export function summary(results: readonly LaneResult[], total: Total): readonly string[] {
  const width = Math.max(...results.map(({ name }) => name.length), 0)
  const lines = results.map(
    (lane) => `${lane.name.padEnd(width)}  ${lane.seconds.toFixed(1).padStart(6)} s  ${outcome(lane)}`,
  )
  const notRun = results.flatMap((lane) => lane.notRun.map((what) => `not run: ${lane.name}: ${what}`))
  const nothing = total.passed === 0 && total.failed === 0 ? ['✗ no test ran'] : []
  const unsteady = results.flatMap((lane) =>
    (lane.unsteady ?? []).map((what) => `passed at the second try: ${lane.name}: ${what}`),
  )
  const failures = results.flatMap((lane) => (lane.failures ?? []).map((what) => `✗ ${lane.name}: ${what}`))
  const faults = [...total.faults.map((fault) => `✗ ${fault}`), ...nothing]
  return [...lines, ...notRun, ...unsteady, ...failures, ...faults, `${total.passed} passed, ${total.failed} failed`]
}

function outcome(lane: LaneResult): string {
  if (lane.name.startsWith('check ')) return lane.failed === 0 ? 'ok' : 'FAILED'
  if (lane.passed + lane.failed === 0) return 'not run'
  const notRun = lane.notRun.length > 0 ? `, ${lane.notRun.length} not run` : ''
  return `${lane.passed} passed, ${lane.failed} failed${notRun}`
}
