import {
  backupCodes,
  codeProof,
  enrolledFactor,
  factorChange,
  factorCode,
  factorDone,
  factorParams,
  factorReset,
  factorStatus,
  passkeyDraft,
  passkeyOptions,
  passkeyProof,
  passwordProof,
  preferredFactor,
  provenFactor,
  requiredRoles,
  Type,
  totpDraft,
  totpStarted,
  yubicoDraft,
} from '@countersign/wire'
import type { FastifyReply } from 'fastify'
import { type Person, type RequestFacts, type Route, route } from '../roles/index.ts'
import type { Lifted } from '../sessions/index.ts'
import type { Enrolled } from './enroll-factor.ts'
import type { Mfa } from './make-mfa.ts'
import type { Proven } from './prove-factor.ts'

type Needs = {
  readonly mfa: Mfa
  readonly clock: { readonly now: () => Date }
  readonly cookie: (token: string, maxAgeSeconds: number) => string
}

const bodyBytesMax = 65_536
const person = Type.Object({ id: factorParams.properties.id })

export function mfaRoutes({ mfa, clock, cookie }: Needs): readonly Route[] {
  const lift = (reply: FastifyReply, lifted: Lifted): void => {
    if (!lifted) return
    reply.header('set-cookie', cookie(lifted.token, (lifted.expiresAt.getTime() - clock.now().getTime()) / 1000))
  }
  const untilOf = async (who: Person, at: Date): Promise<string> =>
    new Date(at.getTime() + (await mfa.stepUpMinutes(who.tenant)) * 60_000).toISOString()

  const provenView = async (
    who: Person,
    { at, lifted }: Proven,
    reply: FastifyReply,
    trusting?: { readonly facts: RequestFacts; readonly isWanted: boolean },
  ) => {
    lift(reply, lifted)
    const device = trusting?.isWanted ? await mfa.devices.trust(who, trusting.facts) : undefined
    if (device !== undefined) reply.header('set-cookie', device)
    return {
      verified_at: at.toISOString(),
      step_up_until: await untilOf(who, at),
      trusts_device: device !== undefined,
    }
  }
  const enrolledView = async (who: Person, { id, backupCodes: codes, lifted, at }: Enrolled, reply: FastifyReply) => {
    lift(reply, lifted)
    reply.header('cache-control', 'no-store')
    return {
      id,
      backup_codes: codes === null ? null : [...codes],
      verified_at: at.toISOString(),
      step_up_until: await untilOf(who, at),
    }
  }

  return [
    route({
      does: 'Show one’s own second factors',
      method: 'GET',
      path: '/mfa',
      needs: 'signed-in',
      factor: 'before',
      answers: factorStatus,
      handle: ({ who, request }) => mfa.status(who, request.headers.cookie),
    }),
    route({
      does: 'Prove a code: of an authenticator app, a Yubico key, or a backup code',
      method: 'POST',
      path: '/mfa/verification',
      needs: 'signed-in',
      factor: 'before',
      bodyBytesMax,
      body: codeProof,
      answers: provenFactor,
      handle: async ({ who, body, facts, reply }) =>
        provenView(who, await mfa.prove.code(who, body.code, facts), reply, {
          facts,
          isWanted: body.trust_device === true,
        }),
    }),
    route({
      does: 'Get a challenge for one’s passkeys',
      method: 'POST',
      path: '/mfa/verification/challenge',
      needs: 'signed-in',
      factor: 'before',
      answers: passkeyOptions,
      handle: async ({ who }) => {
        const { id, options } = await mfa.prove.startPasskey(who)
        return { challenge_id: id, options: { ...options } }
      },
    }),
    route({
      does: 'Prove a passkey',
      method: 'POST',
      path: '/mfa/verification/passkey',
      needs: 'signed-in',
      factor: 'before',
      bodyBytesMax,
      body: passkeyProof,
      answers: provenFactor,
      handle: async ({ who, body, facts, reply }) => {
        const assertion = { challengeId: body.challenge_id, credential: body.credential }
        return provenView(who, await mfa.prove.passkey(who, assertion, facts), reply, {
          facts,
          isWanted: body.trust_device === true,
        })
      },
    }),
    route({
      does: 'Prove the password again, without a second factor',
      method: 'POST',
      path: '/mfa/verification/password',
      needs: 'signed-in',
      factor: 'before',
      bodyBytesMax,
      body: passwordProof,
      answers: provenFactor,
      handle: async ({ who, body, facts, reply }) =>
        provenView(who, await mfa.prove.password(who, body.password, facts), reply),
    }),
    route({
      does: 'Begin to add an authenticator app',
      method: 'POST',
      path: '/mfa/totp',
      needs: 'signed-in',
      factor: 'before',
      status: 201,
      bodyBytesMax,
      body: totpDraft,
      answers: totpStarted,
      handle: async ({ who, body, reply }) => {
        reply.header('cache-control', 'no-store')
        return mfa.enroll.startTotp(who, body.label ?? 'Authenticator app')
      },
    }),
    route({
      does: 'Confirm an authenticator app with its first code',
      method: 'POST',
      path: '/mfa/totp/:id/confirmation',
      needs: 'signed-in',
      factor: 'before',
      bodyBytesMax,
      params: factorParams,
      body: factorCode,
      answers: enrolledFactor,
      handle: async ({ who, params, body, facts, reply }) =>
        enrolledView(who, await mfa.enroll.confirmTotp(who, params.id, body.code, facts), reply),
    }),
    route({
      does: 'Get a challenge for a new passkey',
      method: 'POST',
      path: '/mfa/passkeys/challenge',
      needs: 'signed-in',
      factor: 'before',
      answers: passkeyOptions,
      handle: async ({ who }) => {
        const { id, options } = await mfa.enroll.startPasskey(who)
        return { challenge_id: id, options: { ...options } }
      },
    }),
    route({
      does: 'Add a passkey',
      method: 'POST',
      path: '/mfa/passkeys',
      needs: 'signed-in',
      factor: 'before',
      status: 201,
      bodyBytesMax,
      body: passkeyDraft,
      answers: enrolledFactor,
      handle: async ({ who, body, facts, reply }) => {
        const { challenge_id: challengeId, label, credential } = body
        return enrolledView(who, await mfa.enroll.confirmPasskey(who, { challengeId, label, credential }, facts), reply)
      },
    }),
    route({
      does: 'Add a Yubico key by one of its one-time passwords',
      method: 'POST',
      path: '/mfa/yubico',
      needs: 'signed-in',
      factor: 'before',
      status: 201,
      bodyBytesMax,
      body: yubicoDraft,
      answers: enrolledFactor,
      handle: async ({ who, body, facts, reply }) =>
        enrolledView(who, await mfa.enroll.addYubico(who, body.otp, body.label, facts), reply),
    }),
    route({
      does: 'Rename a factor, or let the command line use it',
      method: 'PATCH',
      path: '/mfa/factors/:id',
      needs: 'signed-in',
      factor: 'step-up',
      params: factorParams,
      body: factorChange,
      answers: factorDone,
      handle: async ({ who, params: { id }, body, facts }) => {
        await mfa.manage.change(who, id, { label: body.label, cliCapable: body.cli_capable }, facts)
        return { id }
      },
    }),
    route({
      does: 'Remove a factor',
      method: 'DELETE',
      path: '/mfa/factors/:id',
      needs: 'signed-in',
      factor: 'always',
      params: factorParams,
      answers: factorDone,
      handle: async ({ who, params: { id }, facts }) => {
        await mfa.manage.remove(who, id, facts)
        return { id }
      },
    }),
    route({
      does: 'Say which kind of factor is asked for first',
      method: 'PUT',
      path: '/mfa/preferred',
      needs: 'signed-in',
      factor: 'step-up',
      body: preferredFactor,
      answers: preferredFactor,
      handle: async ({ who, body, facts }) => {
        await mfa.manage.prefer(who, body.preferred_kind, facts)
        return body
      },
    }),
    route({
      does: 'Make new backup codes; the older ones stop working',
      method: 'POST',
      path: '/mfa/backup-codes',
      needs: 'signed-in',
      factor: 'step-up',
      status: 201,
      answers: backupCodes,
      handle: async ({ who, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        return { backup_codes: [...(await mfa.manage.renewBackupCodes(who, facts))] }
      },
    }),
    route({
      does: 'Trust a browser no longer',
      method: 'DELETE',
      path: '/mfa/devices/:id',
      needs: 'signed-in',
      factor: 'step-up',
      params: factorParams,
      answers: factorDone,
      handle: async ({ who, params: { id }, facts }) => {
        await mfa.manage.forgetDevice(who, id, facts)
        return { id }
      },
    }),
    route({
      does: 'Take note that one’s factors were removed by somebody else',
      method: 'DELETE',
      path: '/mfa/reset-notice',
      needs: 'signed-in',
      answers: factorDone,
      handle: async ({ who }) => {
        await mfa.reset.takeNote(who)
        return { id: who.id }
      },
    }),
    route({
      does: 'List roles that need a second factor',
      method: 'GET',
      path: '/mfa/required-roles',
      needs: 'settings:read',
      answers: requiredRoles,
      handle: async ({ who }) => ({ roles: await mfa.roles.read(who.tenant) }),
    }),
    route({
      does: 'Say which roles need a second factor',
      method: 'PUT',
      path: '/mfa/required-roles',
      needs: 'settings:write',
      factor: 'always',
      body: requiredRoles,
      answers: requiredRoles,
      handle: async ({ who, body, facts }) => ({ roles: await mfa.roles.write(who, body.roles, facts) }),
    }),
    route({
      does: 'Remove all factors of somebody who lost them, and end their sessions',
      method: 'POST',
      path: '/people/:id/factors/reset',
      needs: 'people:write',
      factor: 'always',
      params: person,
      answers: factorReset,
      handle: async ({ who, params: { id }, facts }) => {
        const { removed, sessionsEnded } = await mfa.reset.reset(who, id, facts)
        return { removed, sessions_ended: sessionsEnded }
      },
    }),
    route({
      does: 'Let somebody try again whose attempts are locked',
      method: 'POST',
      path: '/people/:id/factors/unlock',
      needs: 'people:write',
      factor: 'step-up',
      params: person,
      answers: factorDone,
      handle: async ({ who, params: { id }, facts }) => {
        await mfa.reset.unlock(who, id, facts)
        return { id }
      },
    }),
  ]
}
