import { type Static, Type } from 'typebox'

/** Whose personal facts are to be made unreadable in the trail, for good. */
export const erasureDraft = Type.Object(
  {
    data_subject: Type.String({
      pattern: '^(?:person:[0-9a-f-]{36}|anyone:\\d{4}-(?:0[1-9]|1[0-2])|[a-z_]{1,40}:[^\\s]{1,400})$',
      description: 'As entries name it: person:<id>, or anyone:<year>-<month> for the strangers of a month',
    }),
    confirm: Type.String({ maxLength: 500, description: 'The same once more: it cannot be undone' }),
  },
  { additionalProperties: false },
)

export const erasureDone = Type.Object({
  data_subject: Type.String(),
  keys: Type.Integer({ minimum: 1, description: 'How many keys were destroyed' }),
})

export type ErasureDone = Static<typeof erasureDone>
