import type * as wire from '@countersign/wire'
import type { Static } from '@countersign/wire'

export type ApiToken = Static<typeof wire.apiToken>
export type MadeApiToken = Static<typeof wire.madeApiToken>
export type ApiTokenChoices = Static<typeof wire.apiTokenChoices>
