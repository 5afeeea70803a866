import type { Db } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { findByEmail, isAdministrator, type MakeLink, type PersonStatus, statusOf } from '../people/index.ts'
import type { RecordAct } from '../trail/index.ts'
import { listAdministrators, tellAdministrators } from './recovery-notices-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly makeLink: MakeLink
  readonly recordAct: RecordAct
}

export type Recovery = { readonly email: string; readonly link: string; readonly expiresAt: Date }

/**
 * The way back in when neither passwords nor a provider let anybody in: a link for one administrator that works once,
 * for half an hour. No route leads here: it is for whoever is at the server's machine, and all administrators are told.
 */
export function recoverAdministrator({ db, clock, makeLink, recordAct }: Needs) {
  return (email: string, machineUser: string): Promise<Recovery> =>
    db.inTx(async (tx) => {
      const person = await findByEmail(tx, email)
      if (!person) {
        throw new Problem(problems.notFound, `There is nobody with the address ${email}.${await choices(tx)}`)
      }
      const { tenant, id } = person
      if (!(await isAdministrator(tx, tenant, id))) {
        throw new Problem(
          problems.forbidden,
          `${person.email} is not an administrator: any administrator can make them a link under People.${await choices(tx)}`,
        )
      }
      const status = statusOf(person, clock.now())
      const closed = closedWords[status]
      if (closed !== undefined) {
        throw new Problem(problems.conflict, `${person.email} ${closed}.${await choices(tx)}`)
      }
      // Nobody who signs in made it, so it is told as made for oneself; the trail says where it really came from.
      const { link, expiresAt } = await makeLink(tx, { tenant, person: id, purpose: 'recovery', by: id })
      const told = await tellAdministrators(tx, { tenant, recovered: id, stage: 'made', at: clock.now() })
      await recordAct(tx, {
        tenant,
        act: 'person.recovery_link_made',
        actor: { kind: 'system', id: 'command_line', credential: 'server_machine' },
        subject: { kind: 'person', id },
        details: { expires_at: expiresAt.toISOString(), administrators_told: told },
        personal: { actor: { machine_user: machineUser }, subject: { email: person.email } },
      })
      return { email: person.email, link, expiresAt }
    })
}

const closedWords: Readonly<Partial<Record<PersonStatus, string>>> = {
  suspended: 'is suspended, which a link does not lift; recover another administrator, who can',
  locked: 'is locked, which a link does not lift; recover another administrator, who can, or wait until the lock ends',
}

async function choices(tx: Parameters<typeof listAdministrators>[0]): Promise<string> {
  const found = await listAdministrators(tx)
  return found.length === 0 ? '' : ` Administrators: ${found.map(({ email }) => email).join(', ')}.`
}
