import type * as wire from '@countersign/wire'
import type { Static } from '@countersign/wire'

export type Event = Static<typeof wire.event>
export type EventsPageAnswer = Static<typeof wire.eventPage>
export type EventFacets = Static<typeof wire.eventFacets>
export type EventHistogram = Static<typeof wire.eventHistogram>
export type EventDetail = Static<typeof wire.eventDetail>

/** The detail with its two free parts as the text that came: parsed, long numbers would lose digits. */
export type ShownDetail = EventDetail & { readonly argsJson: string; readonly payloadJson: string }
