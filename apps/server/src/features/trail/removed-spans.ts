import { readStub, type SignedStub } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'

/** The stubs of what was removed of the entries from one number up to another, in order. */
export async function findStubs(db: Sql, first = 0, beyond = Number.MAX_SAFE_INTEGER): Promise<readonly SignedStub[]> {
  const rows = await db.query<{ stub: unknown }>(
    `select r.stub from trail_removals as r
      where r.removed_at is not null and int8range(r.first_number, r.beyond) && int8range($1, $2)
      order by r.first_number`,
    [first, beyond],
  )
  return rows.map(({ stub }) => readStub(stub))
}

/** Why there is no such entry for the reader. Which numbers were removed is told to all: the public tiles tell as much. */
export async function noEntry(db: Sql, number: number): Promise<Problem> {
  const [stub] = await findStubs(db, number, number + 1)
  if (!stub) return notFound('entry')
  return new Problem(
    problems.notFound,
    `Entry ${number} was removed after its time on ${stub.removed_at.slice(0, 10)}. It is kept in the archive ${stub.archive_key} of the bucket ${stub.bucket}.`,
  )
}
