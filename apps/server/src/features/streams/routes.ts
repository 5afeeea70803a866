import { type StreamTopic, streamTopics, Type } from '@countersign/wire'
import { type Route, route } from '../roles/index.ts'
import type { ConsoleHub, Speak } from './console-hub.ts'

const isTopic = (name: string): name is StreamTopic => Object.hasOwn(streamTopics, name)

/** Topics by their own names, with the body they were announced with. */
const speakNative: Speak = ({ topic, body }) =>
  isTopic(topic) ? { name: topic, data: body, needs: streamTopics[topic] } : undefined

export function consoleStreamRoutes({ consoles }: { readonly consoles: Pick<ConsoleHub, 'open'> }): readonly Route[] {
  return [
    route({
      does: 'Tell a console what happens, from where it left off',
      method: 'GET',
      path: '/stream',
      needs: 'signed-in',
      query: Type.Object({
        last_event_id: Type.Optional(Type.String({ description: 'For clients that cannot send the header' })),
      }),
      answersItself: true,
      handle: ({ who, query, request, reply }) => {
        const given = request.headers['last-event-id'] ?? query.last_event_id
        const lastEventId = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : undefined
        return consoles.open(who, reply, { speak: speakNative, lastEventId, isResumable: true })
      },
    }),
  ]
}
