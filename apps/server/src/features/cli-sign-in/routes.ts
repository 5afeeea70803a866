import {
  cliSignInBegun,
  cliSignInCompletion,
  cliSignInDecision,
  cliSignInDraft,
  cliSignInLook,
  cliSignInState,
  cliSignInWaiting,
  Type,
} from '@countersign/wire'
import { type Route, route } from '../roles/index.ts'
import type { CliSignIns } from './cli-sign-in.ts'

export function cliSignInRoutes({ signIns }: { readonly signIns: CliSignIns }): readonly Route[] {
  return [
    route({
      does: 'Ask to sign a command line in',
      method: 'POST',
      path: '/cli-sign-ins',
      needs: 'anyone',
      status: 201,
      bodyBytesMax: 4096,
      body: cliSignInDraft,
      answers: cliSignInBegun,
      handle: async ({ body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { state, verifier, userCode, page, expiresAt } = await signIns.begin(
          body.device ?? 'A command line',
          facts,
        )
        return {
          state,
          verifier,
          user_code: userCode,
          page,
          expires_at: expiresAt.toISOString(),
          interval_seconds: 2,
        }
      },
    }),
    route({
      does: 'Show which command line waits with a code',
      method: 'POST',
      path: '/cli-sign-ins/look',
      needs: 'signed-in',
      bodyBytesMax: 4096,
      body: cliSignInLook,
      answers: cliSignInWaiting,
      handle: async ({ who, body }) => {
        const found = await signIns.look(who, body.code)
        return {
          user_code: found.userCode,
          device: found.device,
          address: found.address,
          user_agent: found.agent,
          made_at: found.madeAt.toISOString(),
          expires_at: found.expiresAt.toISOString(),
        }
      },
    }),
    route({
      does: 'Let a command line in as oneself, or turn it away',
      method: 'POST',
      path: '/cli-sign-ins/decision',
      needs: 'signed-in',
      factor: 'step-up',
      bodyBytesMax: 4096,
      body: cliSignInDecision,
      answers: Type.Object({ approved: Type.Boolean() }),
      handle: async ({ who, body, facts }) => {
        await signIns.decide(who, body.code, body.approve, facts)
        return { approved: body.approve }
      },
    }),
    route({
      does: 'Fetch the session once a command line was let in',
      method: 'POST',
      path: '/cli-sign-ins/completion',
      needs: 'anyone',
      bodyBytesMax: 4096,
      body: cliSignInCompletion,
      answers: cliSignInState,
      handle: async ({ body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const done = await signIns.complete(body.state, body.verifier, undefined, facts)
        if (done.is !== 'signed in') return { status: done.is }
        const { token, expiresAt } = done.begun
        return { status: 'signed_in' as const, token, expires_at: expiresAt.toISOString(), email: done.person.email }
      },
    }),
  ]
}
