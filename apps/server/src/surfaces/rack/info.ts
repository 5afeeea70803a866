import type { Mfa } from '../../features/mfa/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import type { CsrfTokens } from '../../features/sessions/index.ts'
import { kindWords, present, roleWords } from './words.ts'

type Needs = { readonly mfa: Pick<Mfa, 'own'>; readonly csrf: Pick<CsrfTokens, 'of'>; readonly version: string }

/** Who asks, and what of the server the gateway's clients want to know first (gateway §3.4). */
export function rackInfoRoutes({ mfa, csrf, version }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell who asks, and what this server is',
      method: 'GET',
      path: '/info',
      needs: 'caller',
      // Also for those who have to add a factor first: their command line finds out here.
      factor: 'before',
      handle: async ({ who, request, reply }) => {
        reply.header('cache-control', 'no-store')
        const token = csrf.of(request.headers.cookie)
        // What a page of ours sends back with what changes something. Another site's page cannot read this answer.
        if (token !== undefined) reply.header('x-csrf-token', token)
        const server = {
          // No rack stands behind this server.
          rack: { name: '', alias: '', host: '' },
          integrations: { slack: false, github: false, circleci: false },
          version: { version, commit_hash: '' },
        }
        if (who.is === 'token') {
          const user = { email: '', name: who.name, roles: [], mfa_enrolled: false, mfa_required: false }
          return { user: { ...user, has_trusted_device: false }, ...server }
        }
        const { trusted, state } = await mfa.own(who)
        return {
          user: {
            email: who.email,
            name: who.name,
            roles: roleWords(who.held),
            mfa_enrolled: who.factors.isEnrolled,
            mfa_required: who.factors.isRequired,
            has_trusted_device: trusted.length > 0,
            ...present({
              preferred_mfa_method: state?.preferredKind && kindWords[state.preferredKind],
              recent_step_up_expires_at: who.factors.steppedUpUntil?.toISOString(),
            }),
          },
          ...server,
        }
      },
    }),
  ]
}
