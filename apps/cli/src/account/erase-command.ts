import { Command } from 'commander'
import type { CallServer } from './call-server.ts'
import { exits, Refused } from './call-server.ts'
import { type AccountSurroundings, exitHelp, type ServerOptions, withConnection, withFactor } from './surroundings.ts'

type Preview = {
  readonly data_subject: string
  readonly keys: number
  readonly entries: number
  readonly is_exact: boolean
  readonly first_at: string | null
  readonly last_at: string | null
}
type Options = ServerOptions & { readonly yes?: boolean; readonly dryRun?: boolean }

const help = `
What is erased
  Names, e-mail addresses, network addresses and whatever else is personal, in every entry about them and of them, by
  destroying the key it is sealed under. What was done, when and by which id stays; no hash changes and every proof, anchor
  and export stays valid. It cannot be undone, and is itself recorded. It needs the permission trail:manage.
${exitHelp}

Examples
  countersign trail erase ada@example.com --dry-run     what would be unreadable
  countersign trail erase ada@example.com               asks first
  countersign trail erase anyone:2026-03 --yes          the strangers of a month`

/** `trail erase`: what the trail says of a person, for good. */
export function eraseCommand(surroundings: AccountSurroundings): Command {
  const { print, ask } = surroundings
  return withFactor(new Command('erase'))
    .description('Make what the trail says of a person unreadable, for good')
    .argument('<person>', 'an e-mail address, the id of a person, or a data subject such as anyone:2026-03')
    .option('--yes', 'do not ask')
    .option('--dry-run', 'say what would be unreadable, and erase nothing')
    .addHelpText('after', help)
    .action((person: string, options: Options) =>
      withConnection(surroundings, options, async ({ call }) => {
        const subject = await dataSubjectOf(call, person)
        const preview = await call<Preview>('GET', `/trail/erasures?data_subject=${encodeURIComponent(subject)}`)
        if (options.dryRun) return print(options.json ? `${JSON.stringify(preview)}\n` : wouldText(preview))
        if (preview.keys === 0) throw new Refused(nothingText(subject), exits.refused)
        if (!options.yes) await confirm(ask, preview)
        const done = await call<object>('POST', '/trail/erasures', { data_subject: subject, confirm: subject })
        print(
          options.json
            ? `${JSON.stringify({ ...preview, ...done })}\n`
            : `Erased: what was personal about ${subject} in ${entriesText(preview)} can be read by nobody any more.\n`,
        )
      }),
    )
}

async function confirm(ask: AccountSurroundings['ask'], preview: Preview): Promise<void> {
  const { data_subject: subject } = preview
  const typed = await ask?.(`${wouldText(preview)}This cannot be undone. Type ${subject} to erase it: `)
  if (typed?.trim() === subject) return
  const why = typed === undefined ? 'Nobody is there to be asked: give --yes, or look first with --dry-run.' : ''
  throw new Refused(`Nothing was erased. ${why}`.trim(), exits.refused)
}

async function dataSubjectOf(call: CallServer, person: string): Promise<string> {
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(person)) return `person:${person}`
  if (!person.includes('@')) {
    if (person.includes(':')) return person
    throw new Refused(`${person} is no e-mail address, id or data subject.`, exits.unreachable)
  }
  const { items } = await call<{ items: readonly { readonly id: string; readonly email: string }[] }>(
    'GET',
    `/people?q=${encodeURIComponent(person)}`,
  )
  const found = items.find(({ email }) => email.toLowerCase() === person.toLowerCase())
  if (found) return `person:${found.id}`
  throw new Refused(
    `There is nobody with the address ${person}. Somebody who was removed is named by id.`,
    exits.refused,
  )
}

const nothingText = (subject: string): string =>
  `The trail holds nothing personal about ${subject}, or it was erased before.`

function entriesText({ entries, is_exact: isExact }: Preview): string {
  return `${isExact ? '' : 'at least '}${entries} ${entries === 1 ? 'entry' : 'entries'}`
}

function wouldText(preview: Preview): string {
  const { data_subject: subject, keys, first_at: first, last_at: last } = preview
  if (keys === 0) return `${nothingText(subject)}\n`
  const when = first === null || last === null ? '' : `, from ${first} to ${last}`
  return `What is personal about ${subject} in ${entriesText(preview)}${when} would be unreadable.\n`
}
