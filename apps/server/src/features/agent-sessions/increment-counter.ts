import type { Clock } from '../../kernel/clock.ts'
import { type Sql, sqlState } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { addAmounts, type Increment } from './session-values-table.ts'

type Waiting = {
  readonly increment: Increment
  readonly resolve: (value: string) => void
  readonly reject: (cause: unknown) => void
}

type Needs = { readonly db: Sql; readonly clock: Pick<Clock, 'now'> }

export type IncrementCounter = (increment: Increment) => Promise<string>

/** From the last write, not the last look (agent-api §7.3). */
export const lifetimeMs = 7 * 86_400_000
const statementsMax = 2
const perStatement = 500
/** A statement costs as much as a hundred increments: fewer wait for the one that runs and share the next. */
const waitingForSecond = 100
const waitingMax = 50_000

/**
 * Adds to a counter and answers its new value. Increments that arrive while a statement runs go together into the next
 * one, so that thousands a second cost a few hundred commits; each answer is given after its commit.
 */
export function incrementCounter({ db, clock }: Needs): IncrementCounter {
  let waiting: Waiting[] = []
  let running = 0

  const pump = (): void => {
    while (waiting.length > 0 && (running === 0 || (running < statementsMax && waiting.length >= waitingForSecond))) {
      const batch = waiting.slice(0, perStatement)
      waiting = waiting.slice(perStatement)
      running += 1
      void run(batch).finally(() => {
        running -= 1
        pump()
      })
    }
  }

  const run = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const values = await add(batch.map(({ increment }) => increment))
      for (const [at, { resolve, reject }] of batch.entries()) {
        const value = values[at]
        if (value === null || value === undefined) reject(noNumber())
        else resolve(value)
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause)
    }
  }

  const add = async (increments: readonly Increment[]): Promise<readonly (string | null)[]> => {
    for (let tries = 1; ; tries += 1) {
      const now = clock.now()
      try {
        return await addAmounts(db, increments, now, new Date(now.getTime() + lifetimeMs))
      } catch (cause) {
        const state = sqlState(cause)
        if (tries >= 4 || (state !== '40P01' && state !== '40001')) throw cause
      }
    }
  }

  return (increment) => {
    if (waiting.length >= waitingMax) {
      throw new Problem(problems.unavailable, 'Too many increments wait. Try again in a moment.', {
        retryAfterSeconds: 1,
      })
    }
    return new Promise((resolve, reject) => {
      waiting.push({ increment, resolve, reject })
      pump()
    })
  }
}

function noNumber(): Problem {
  return new Problem(problems.conflict, 'The value of this key is not a number that can be added to.')
}
