import { fsckTrail } from '../../cli/src/trail/fsck.ts'
import { openDb } from '../src/kernel/db.ts'

/** At the end of a journey: whatever happened, the trail it left is whole. Fails naming what is not. */
export async function expectWholeTrail(databaseUrl: string): Promise<void> {
  const options = { applicationName: 'trail fsck', connectionsMax: 1, onBrokenConnection: () => undefined }
  const db = openDb({ url: databaseUrl, ...options })
  try {
    const { ok, faults } = await fsckTrail(db, {})
    if (!ok) throw new Error(`The trail is not whole:\n${faults.map(({ says }) => `  ${says}`).join('\n')}`)
  } finally {
    await db.end()
  }
}
