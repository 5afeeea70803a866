import type { Sql } from '../../kernel/db.ts'

export type EventWords = {
  /** The number of a word that was seen before by this process. */
  readonly known: (tenant: string, word: string) => number | undefined
  /** Makes sure that `known` finds all of them until something else is awaited. */
  readonly learn: (tenant: string, words: Iterable<string>) => Promise<void>
  /** The numbers of those words that exist; nothing is made. */
  readonly find: (tenant: string, words: readonly string[]) => Promise<ReadonlyMap<string, number>>
  readonly spell: (tenant: string, numbers: Iterable<number>) => Promise<ReadonlyMap<number, string>>
}

/** Words are never changed or deleted, so what is known stays true; it is only forgotten when there is too much of it. */
const knownMax = 200_000

/** Stored for "names no rule". */
const noWord = 0

type Row = { readonly id: number; readonly word: string }

export function eventWords(db: Sql): EventWords {
  let tenants = new Map<string, { readonly byWord: Map<string, number>; readonly byNumber: Map<number, string> }>()
  let count = 0

  const of = (tenant: string) => {
    let words = tenants.get(tenant)
    if (!words) {
      words = { byWord: new Map(), byNumber: new Map() }
      tenants.set(tenant, words)
    }
    return words
  }
  const remember = (tenant: string, rows: readonly Row[]): void => {
    count += rows.length
    if (count > knownMax) {
      tenants = new Map()
      count = rows.length
    }
    const { byWord, byNumber } = of(tenant)
    for (const { id, word } of rows) {
      byWord.set(word, id)
      byNumber.set(id, word)
    }
  }
  const select = (tenant: string, words: readonly string[]): Promise<Row[]> =>
    db.query<Row>(`select w.id, w.word from event_words as w where w.tenant_id = $1 and w.word = any($2)`, [
      tenant,
      words,
    ])

  return {
    known: (tenant, word) => (word === '' ? noWord : tenants.get(tenant)?.byWord.get(word)),
    learn: async (tenant, words) => {
      const wanted = [...words]
      const rows = await select(tenant, wanted)
      const found = new Set(rows.map(({ word }) => word))
      const fresh = wanted.filter((word) => !found.has(word))
      if (fresh.length > 0) {
        await db.query(
          `insert into event_words (tenant_id, word)
           select $1, n.word from unnest($2::text[]) as n (word) order by n.word
           on conflict (tenant_id, word) do nothing`,
          [tenant, fresh],
        )
        rows.push(...(await select(tenant, fresh)))
      }
      remember(tenant, rows)
    },
    find: async (tenant, words) => {
      const { byWord } = of(tenant)
      const unknown = words.filter((word) => word !== '' && !byWord.has(word))
      if (unknown.length > 0) remember(tenant, await select(tenant, unknown))
      const now = of(tenant).byWord
      return new Map(
        words.flatMap((word): [string, number][] => {
          const number = word === '' ? noWord : now.get(word)
          return number === undefined ? [] : [[word, number]]
        }),
      )
    },
    spell: async (tenant, numbers) => {
      const wanted = new Set(numbers)
      const unknown = [...wanted].filter((number) => !of(tenant).byNumber.has(number))
      const spelled = new Map<number, string>([[noWord, '']])
      for (const number of wanted) {
        const word = of(tenant).byNumber.get(number)
        if (word !== undefined) spelled.set(number, word)
      }
      if (unknown.length > 0) {
        const rows = await db.query<Row>(
          `select w.id, w.word from event_words as w where w.tenant_id = $1 and w.id = any($2)`,
          [tenant, unknown],
        )
        remember(tenant, rows)
        for (const { id, word } of rows) spelled.set(id, word)
      }
      return spelled
    },
  }
}
