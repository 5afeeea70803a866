import { Worker } from 'node:worker_threads'
import type { Baseline, ParentSource } from '@countersign/rules'
import type { TriedCall } from '@countersign/wire'
import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { ComposeOrder } from './compose-text.ts'
import type { CoverOrder } from './cover-tools.ts'
import type { DraftOrder } from './draft-rule.ts'
import type { ObserveOrder } from './observe-text.ts'
import type { Order, Report } from './ruleset-thread.ts'
import { type Answers, type Given, perform, type WorkName } from './ruleset-work.ts'

export type ThreadLimits = {
  /** Texts below this are read where they are: a few milliseconds, less than waking a thread. */
  readonly inlineCharacters: number
  readonly documentMs: number
  readonly startMs: number
  readonly idleMs: number
  readonly memoryMb: number
  readonly waitingMax: number
  /** Of the waiting and the one at work: nobody fills the queue alone. */
  readonly perTenantMax: number
}

const defaults: ThreadLimits = {
  inlineCharacters: 8_192,
  // The worst that passes all other limits takes one to two seconds of a free processor.
  documentMs: 30_000,
  startMs: 30_000,
  idleMs: 30_000,
  memoryMb: 384,
  waitingMax: 16,
  perTenantMax: 8,
}

type Needs = {
  readonly clock: Pick<Clock, 'after'>
  readonly log: Pick<Log, 'error' | 'warn'>
  readonly limits?: Partial<ThreadLimits>
  readonly makeThread?: (memoryMb: number) => Worker
}

type Job = {
  readonly tenant: string
  readonly order: Order
  readonly resolve: (answer: unknown) => void
  readonly reject: (cause: Error) => void
}

export type ReadRulesets = ReturnType<typeof readRulesets>

/**
 * Reads documents without ever stalling the event loop: what is not small is read by one thread, which is started when
 * needed, given up when a document takes too long or too much memory, and ended when idle.
 */
export function readRulesets({ clock, log, limits: given = {}, makeThread = startThread }: Needs) {
  const limits = { ...defaults, ...given }
  const waiting: Job[] = []
  let thread: Worker | undefined
  let isReady = false
  let current: Job | undefined
  let stopTimer: Stop = () => undefined

  const setTimer = (milliseconds: number, work: () => void): void => {
    stopTimer()
    stopTimer = clock.after(milliseconds, work)
  }

  /** Ends the thread and fails what it was at; what waits gets another one. */
  const giveUp = (refusal?: Error): void => {
    const [ended, job] = [thread, current]
    stopTimer()
    thread = undefined
    isReady = false
    current = undefined
    void ended?.terminate()
    if (job && refusal) job.reject(refusal)
    next()
  }

  const next = (): void => {
    if (current) return
    const job = waiting[0]
    if (!job) {
      if (thread)
        setTimer(limits.idleMs, () => {
          giveUp()
        })
      return
    }
    if (!thread) {
      start()
      return
    }
    if (!isReady) return
    waiting.shift()
    current = job
    setTimer(limits.documentMs, () => {
      log.warn({ tenant: job.tenant, work: job.order.name }, 'A ruleset took too long to read and was refused')
      giveUp(refusal(`Reading this ruleset takes longer than ${limits.documentMs / 1_000} s. Split it or simplify it.`))
    })
    thread.postMessage(job.order)
  }

  const start = (): void => {
    const started = makeThread(limits.memoryMb)
    thread = started
    setTimer(limits.startMs, () => {
      failToStart(new Error('It did not start in time'))
    })
    started.on('message', (report: Report) => {
      if (thread !== started) return
      if (report.is === 'ready') isReady = true
      else finish(report)
      next()
    })
    let cause: unknown
    started.on('error', (err) => {
      cause = err
    })
    started.on('exit', () => {
      if (thread !== started) return
      if (!current) failToStart(cause)
      else if (isOutOfMemory(cause)) {
        log.warn({ tenant: current.tenant, work: current.order.name }, 'A ruleset took too much memory and was refused')
        giveUp(
          refusal(`Reading this ruleset takes more than ${limits.memoryMb} MB of memory. Split it or simplify it.`),
        )
      } else {
        log.error({ err: cause, work: current.order.name }, 'The thread that reads rulesets ended')
        giveUp(busy('Reading the ruleset was interrupted. Nothing was changed; try again.'))
      }
    })
  }

  /** Without a document at work: nobody's document is at fault, and starting again at once would only turn in circles. */
  const failToStart = (err: unknown): void => {
    const wasReady = isReady
    const stranded = wasReady ? [] : waiting.splice(0)
    if (!wasReady) log.error({ err }, 'The thread that reads rulesets does not start')
    for (const job of stranded) job.reject(busy('Rulesets of this size cannot be read at this moment. Try again.'))
    giveUp()
  }

  const finish = (report: Exclude<Report, { is: 'ready' }>): void => {
    const job = current
    current = undefined
    if (report.is === 'done') job?.resolve(report.answer)
    else job?.reject(new Error(`Reading a ruleset failed: ${report.message}`))
  }

  const read = <Name extends WorkName>(
    tenant: string,
    name: Name,
    what: Given[Name],
    characters: number,
  ): Promise<Answers[Name]> => {
    if (characters < limits.inlineCharacters)
      return new Promise((resolve) => {
        resolve(perform(name, what))
      })
    const jobs = current ? [current, ...waiting] : waiting
    if (jobs.filter((job) => job.tenant === tenant).length >= limits.perTenantMax) {
      const detail = 'Several large rulesets are being read already. Wait for them, then try again.'
      return Promise.reject(new Problem(problems.tooManyRequests, detail, { retryAfterSeconds: 5 }))
    }
    if (waiting.length >= limits.waitingMax) {
      return Promise.reject(busy('Too many large rulesets are being read. Nothing was changed; try again.'))
    }
    return new Promise((resolve, reject) => {
      // The thread answers an order with what `perform` returns for its name.
      const take = (answer: unknown): void => {
        resolve(answer as Answers[Name])
      }
      waiting.push({ tenant, order: { name, given: what }, resolve: take, reject })
      next()
    })
  }

  return {
    renderings: (tenant: string, yaml: string) => read(tenant, 'renderings', { yaml }, yaml.length),
    resolve: (tenant: string, yaml: string, parents: ReadonlyMap<string, ParentSource>) => {
      const inherited = [...parents.values()].reduce((sum, { source }) => sum + source.length, 0)
      return read(tenant, 'resolve', { yaml, parents }, yaml.length + inherited)
    },
    model: (tenant: string, text: string) => read(tenant, 'model', { text }, text.length),
    outline: (tenant: string, text: string) => read(tenant, 'outline', { text }, text.length),
    compare: (tenant: string, before: string, after: string) =>
      read(tenant, 'compare', { before, after }, before.length + after.length),
    evaluate: (tenant: string, text: string, call: TriedCall) =>
      read(tenant, 'evaluate', { text, call }, text.length + JSON.stringify(call).length),
    cover: (tenant: string, order: CoverOrder) =>
      read(
        tenant,
        'cover',
        order,
        order.rules.is === 'text' ? order.rules.text.length : order.rules.rules.length * 100,
      ),
    draftRule: (tenant: string, order: DraftOrder) => read(tenant, 'draftRule', order, order.text.length),
    rules: (tenant: string, text: string, id: string | undefined) => read(tenant, 'rules', { text, id }, text.length),
    compose: (tenant: string, order: ComposeOrder) =>
      read(
        tenant,
        'compose',
        order,
        order.items.reduce((sum, { text }) => sum + text.length, 0),
      ),
    baselines: (tenant: string, order: { readonly text: string; readonly baselines: readonly Baseline[] }) => {
      const inherited = order.baselines.reduce((sum, { source }) => sum + source.length, 0)
      return read(tenant, 'baselines', order, order.text.length + inherited)
    },
    observe: (tenant: string, order: ObserveOrder) =>
      read(tenant, 'observe', order, order.text.length + (order.before?.length ?? 0)),
    /** True while a thread exists, which costs memory. */
    isAwake: () => thread !== undefined,
    stop: async (): Promise<void> => {
      stopTimer()
      for (const job of waiting.splice(0)) job.reject(busy('The server is stopping.'))
      current?.reject(busy('The server is stopping.'))
      current = undefined
      const ended = thread
      thread = undefined
      await ended?.terminate()
    },
  }
}

/** The thread itself, which says so when it is ready. */
export function startThread(memoryMb: number): Worker {
  const thread = new Worker(new URL('./ruleset-thread.ts', import.meta.url), {
    name: 'rulesets',
    // It reads what strangers wrote and needs nothing of ours.
    env: {},
    argv: [],
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
  })
  // Alone it is no reason for the process to go on.
  thread.unref()
  return thread
}

function isOutOfMemory(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
}

function refusal(detail: string): Problem {
  return new Problem(problems.invalidInput, detail)
}

function busy(detail: string): Problem {
  return new Problem(problems.unavailable, detail, { retryAfterSeconds: 5 })
}
