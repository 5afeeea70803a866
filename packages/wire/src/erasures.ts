import { instant, nullable } from './list.ts'
import { type Static, Type } from './type.ts'

const dataSubject = Type.String({
  title: 'whom entries name, such as person:<id> or anyone:2026-11',
  pattern: '^(?:person:[0-9a-f-]{36}|anyone:\\d{4}-(?:0[1-9]|1[0-2])|(?!person:|anyone:)[a-z_]{1,40}:[^\\s]{1,400})$',
  description: 'As entries name it: person:<id>, or anyone:<year>-<month> for the strangers of a month',
})

export const erasureQuery = Type.Object({ data_subject: dataSubject }, { additionalProperties: false })

/** What erasing them would make unreadable. */
export const erasurePreview = Type.Object({
  data_subject: Type.String(),
  keys: Type.Integer({
    minimum: 0,
    description: 'Keys that would be destroyed; none when they were erased, or are not known',
  }),
  entries: Type.Integer({ minimum: 0, description: 'Entries with personal facts that could be read no more' }),
  is_exact: Type.Boolean({ description: 'False when there are more entries than were looked at' }),
  first_at: nullable(instant),
  last_at: nullable(instant),
})

/** Whose personal facts are to be made unreadable in the trail, for good. */
export const erasureDraft = Type.Object(
  {
    data_subject: dataSubject,
    confirm: Type.String({ maxLength: 500, description: 'The same once more: it cannot be undone' }),
  },
  { additionalProperties: false },
)

export const erasureDone = Type.Object({
  data_subject: Type.String(),
  keys: Type.Integer({ minimum: 1, description: 'How many keys were destroyed' }),
})

export type ErasurePreview = Static<typeof erasurePreview>
export type ErasureDone = Static<typeof erasureDone>
