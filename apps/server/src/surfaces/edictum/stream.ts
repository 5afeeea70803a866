import { Type } from '@countersign/wire'
import { type Agent, type Route, route } from '../../features/roles/index.ts'
import { type AgentStreams, readCaller } from '../../features/streams/index.ts'
import { Problem, problems } from '../../kernel/problem.ts'

/** The stream every SDK holds open (agent-api §3). */
export function streamRoutes({ streams }: { readonly streams: Pick<AgentStreams, 'open'> }): readonly Route[] {
  return [
    route({
      does: 'Hold a stream on which an agent is kept up to date',
      method: 'GET',
      path: '/stream',
      needs: 'agent-key',
      query: Type.Object({
        env: Type.Optional(Type.String()),
        bundle_name: Type.Optional(Type.String()),
        policy_version: Type.Optional(Type.String()),
        tags: Type.Optional(Type.String()),
      }),
      answersItself: true,
      handle: async ({ who, query, facts, request, reply }) => {
        refuseOtherEnvironment(who, query.env)
        const prefix = request.mounted?.path.startsWith('/v1/') ? '/v1' : '/api/v1'
        await streams.open(readCaller(who, query, prefix, facts), reply)
      },
    }),
  ]
}

function refuseOtherEnvironment({ environment }: Agent, env: string | undefined): void {
  if (env === undefined || env === '' || env === environment) return
  throw new Problem(problems.forbidden, `API key is for environment '${environment}', not '${env.slice(0, 128)}'.`)
}
