import { type FactorKind, factorLabel, Type } from '@countersign/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Mfa, readAssertion } from '../../features/mfa/index.ts'
import { type Person, type RequestFacts, type Route, route } from '../../features/roles/index.ts'
import { problems } from '../../kernel/problem.ts'
import { badRequest, kindWords, notFoundAs, present, retell } from './words.ts'

type Needs = {
  readonly mfa: Mfa
  readonly clock: { readonly now: () => Date }
  readonly cookie: (token: string, maxAgeSeconds: number) => string
}

const bodyBytesMax = 65_536
const code = Type.String({ minLength: 1, maxLength: 64 })
const trust = { trust_device: Type.Optional(Type.Boolean()) }
const label = Type.Optional(factorLabel)
const no = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const anyObject = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
// A JSON text, or what it says: clients send either.
const jsonText = Type.Union([Type.String({ maxLength: 20_000 }), anyObject])

/** Second factors as Rack Gateway's pages and command lines manage them (gateway §3.3). Unknown fields never fail a request. */
export function rackMfaRoutes({ mfa, clock, cookie }: Needs): readonly Route[] {
  const before = { needs: 'signed-in', factor: 'before', bodyBytesMax } as const
  const fresh = { needs: 'signed-in', factor: 'step-up', bodyBytesMax } as const

  type Proven = { readonly at: Date; readonly lifted: { readonly token: string; readonly expiresAt: Date } | null }
  const verified = async (
    who: Person,
    { at, lifted }: Proven,
    reply: FastifyReply,
    trusting: { readonly facts: RequestFacts; readonly isWanted: boolean | undefined },
  ) => {
    if (lifted)
      reply.header('set-cookie', cookie(lifted.token, (lifted.expiresAt.getTime() - clock.now().getTime()) / 1000))
    const device = trusting.isWanted === true ? await mfa.devices.trust(who, trusting.facts) : undefined
    if (device !== undefined) reply.header('set-cookie', device)
    const until = at.getTime() + (await mfa.stepUpMinutes(who.tenant)) * 60_000
    return {
      mfa_verified_at: at.toISOString(),
      recent_step_up_expires_at: new Date(until).toISOString(),
      trusted_device_cookie: device !== undefined,
    }
  }
  /** These answered a wrong code with 400 and a text; the attempt counts all the same. */
  const told = <Result>(work: Promise<Result>): Promise<Result> =>
    retell(work, {
      mfa_verification_failed: { kind: problems.malformed, error: 'verification failed' },
      not_found: 'mfa method not found',
    })
  const methodOf = async (who: Person, wireNo: number): Promise<string> => {
    const factor = await mfa.byNo.factor(who, wireNo)
    if (!factor) throw notFoundAs('mfa method not found')
    return factor.id
  }

  return [
    route({
      does: 'Tell one’s own second factors',
      method: 'GET',
      path: '/auth/mfa/status',
      ...before,
      handle: ({ who, request }) => statusOf(mfa, who, request),
    }),
    route({
      does: 'Begin to add an authenticator app',
      method: 'POST',
      path: '/auth/mfa/enroll/totp/start',
      ...before,
      handle: async ({ who, reply }) => {
        reply.header('cache-control', 'no-store')
        const { id, secret, uri } = await mfa.enroll.startTotp(who, 'Authenticator App')
        const factor = await mfa.byNo.ofId(who, id)
        // Codes come with the first confirmed factor: handed out earlier they would be a way around it.
        return { method_id: factor, secret, uri, backup_codes: [] }
      },
    }),
    route({
      does: 'Confirm an authenticator app with its first code',
      method: 'POST',
      path: '/auth/mfa/enroll/totp/confirm',
      ...before,
      body: Type.Object({ method_id: no, code, label, ...trust }),
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const id = await methodOf(who, body.method_id)
        const done = await told(mfa.enroll.confirmTotp(who, id, body.code, facts, body.label))
        const view = await verified(who, done, reply, { facts, isWanted: body.trust_device })
        return { ...view, ...present({ backup_codes: done.backupCodes }) }
      },
    }),
    route({
      does: 'Add a Yubico key by one of its one-time passwords',
      method: 'POST',
      path: '/auth/mfa/enroll/yubiotp/start',
      ...before,
      body: Type.Object({ yubi_otp: Type.String({ minLength: 32, maxLength: 48 }), label }),
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const made = await told(mfa.enroll.addYubico(who, body.yubi_otp, body.label ?? 'Yubikey', facts))
        await verified(who, made, reply, { facts, isWanted: false })
        const wireNo = await mfa.byNo.ofId(who, made.id)
        const codes = made.backupCodes ?? []
        // Documented one way and sent another: both are there.
        return { method_id: wireNo, backup_codes: codes, MethodID: wireNo, BackupCodes: codes }
      },
    }),
    route({
      does: 'Get a challenge for a new passkey',
      method: 'POST',
      path: '/auth/mfa/enroll/webauthn/start',
      ...before,
      handle: async ({ who }) => {
        const { wireNo, options } = await mfa.enroll.startPasskey(who)
        return { method_id: wireNo, public_key_options: { publicKey: { ...options } } }
      },
    }),
    route({
      does: 'Add a passkey',
      method: 'POST',
      path: '/auth/mfa/enroll/webauthn/confirm',
      ...before,
      body: Type.Object({ method_id: no, credential: anyObject, label }),
      handle: async ({ who, body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const challengeId = await mfa.byNo.enrollment(who, body.method_id)
        if (challengeId === undefined) throw notFoundAs('mfa method not found')
        const given = { challengeId, label: body.label ?? 'Security Key', credential: body.credential }
        const made = await mfa.enroll.confirmPasskey(who, given, facts)
        await verified(who, made, reply, { facts, isWanted: false })
        const wireNo = await mfa.byNo.ofId(who, made.id)
        return { status: 'enrolled', method_id: wireNo, ...present({ backup_codes: made.backupCodes }) }
      },
    }),
    route({
      does: 'Prove a code: of an authenticator app, a backup code, or a Yubico key',
      method: 'POST',
      path: '/auth/mfa/verify',
      ...before,
      body: Type.Object({ code, ...trust }),
      handle: async ({ who, body, facts, reply }) =>
        verified(who, await told(mfa.prove.code(who, body.code, facts)), reply, { facts, isWanted: body.trust_device }),
    }),
    route({
      does: 'Get a challenge for one’s passkeys',
      method: 'POST',
      path: '/auth/mfa/webauthn/assertion/start',
      ...before,
      handle: async ({ who, request }) => {
        const ofCli = request.headers.authorization !== undefined
        const { id, options } = await mfa.prove.startPasskey(who, { ofCli })
        // What they echo finds the challenge, which the server kept; nothing else in it is believed.
        const session = JSON.stringify({ challenge_id: id, challenge: options.challenge, rpId: options.rpId })
        return { options: { publicKey: { ...options } }, session_data: session }
      },
    }),
    route({
      does: 'Prove a passkey',
      method: 'POST',
      path: '/auth/mfa/webauthn/assertion/verify',
      ...before,
      body: Type.Object({ session_data: jsonText, assertion_response: jsonText, ...trust }),
      handle: async ({ who, body, facts, reply }) => {
        const assertion = readAssertion(body.session_data, body.assertion_response)
        if (!assertion) throw badRequest('invalid request')
        const proven = await told(mfa.prove.passkey(who, assertion, facts))
        return verified(who, proven, reply, { facts, isWanted: body.trust_device })
      },
    }),
    route({
      does: 'Say which kind of factor is asked for first',
      method: 'PUT',
      path: '/auth/mfa/preferred-method',
      ...fresh,
      body: Type.Object({
        preferred_method: Type.Union([Type.Literal('totp'), Type.Literal('webauthn'), Type.Null()]),
      }),
      handle: async ({ who, body: { preferred_method: wanted }, facts }) => {
        const kinds: Readonly<Record<string, FactorKind>> = { totp: 'totp', webauthn: 'passkey' }
        await mfa.manage.prefer(who, wanted === null ? null : (kinds[wanted] ?? null), facts)
        return { status: 'updated' }
      },
    }),
    route({
      does: 'Rename a factor, or let the command line use it',
      method: 'PUT',
      path: '/auth/mfa/methods/:methodID',
      ...fresh,
      params: Type.Object({ methodID: no }),
      body: Type.Object({ label: factorLabel, cli_capable: Type.Optional(Type.Boolean()) }),
      handle: async ({ who, params, body, facts }) => {
        const id = await methodOf(who, params.methodID)
        await told(mfa.manage.change(who, id, { label: body.label, cliCapable: body.cli_capable }, facts))
        return { status: 'updated' }
      },
    }),
    route({
      does: 'Remove a factor',
      method: 'DELETE',
      path: '/auth/mfa/methods/:methodID',
      needs: 'signed-in',
      factor: 'always',
      params: Type.Object({ methodID: no }),
      handle: async ({ who, params, facts }) => {
        await told(mfa.manage.remove(who, await methodOf(who, params.methodID), facts))
        return { status: 'deleted' }
      },
    }),
    route({
      does: 'Make new backup codes; the older ones stop working',
      method: 'POST',
      path: '/auth/mfa/backup-codes/regenerate',
      ...fresh,
      handle: async ({ who, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        return { backup_codes: [...(await mfa.manage.renewBackupCodes(who, facts))] }
      },
    }),
    route({
      does: 'Trust this browser at sign-in',
      method: 'POST',
      path: '/auth/mfa/trusted-devices/trust',
      ...fresh,
      handle: async ({ who, facts, reply }) => {
        const minutes = await mfa.stepUpMinutes(who.tenant)
        // When it was proven, as told by how long it holds.
        const until = who.factors.steppedUpUntil ?? clock.now()
        const at = new Date(until.getTime() - minutes * 60_000)
        const view = await verified(who, { at, lifted: null }, reply, { facts, isWanted: true })
        if (!view.trusted_device_cookie) throw badRequest('trusted devices are switched off')
        return view
      },
    }),
    route({
      does: 'Trust a browser no longer',
      method: 'DELETE',
      path: '/auth/mfa/trusted-devices/:deviceID',
      ...fresh,
      params: Type.Object({ deviceID: no }),
      handle: async ({ who, params, facts }) => {
        const id = await mfa.byNo.device(who, params.deviceID)
        if (id === undefined) throw notFoundAs('trusted device not found')
        await retell(mfa.manage.forgetDevice(who, id, facts), { not_found: 'trusted device not found' })
        return { status: 'revoked' }
      },
    }),
  ]
}

async function statusOf(mfa: Mfa, who: Person, { headers }: FastifyRequest) {
  const { factors, state, codes, trusted } = await mfa.own(who)
  const ofCli = headers.authorization !== undefined
  // A browser's own passkeys are nothing a command line could reach.
  const reachable = factors.filter(({ kind, cliCapable }) => !ofCli || kind !== 'passkey' || cliCapable)
  return {
    enrolled: who.factors.isEnrolled,
    required: who.factors.isRequired,
    methods: reachable.map((factor) => ({
      id: factor.wireNo,
      type: kindWords[factor.kind],
      label: factor.label,
      cli_capable: factor.cliCapable,
      created_at: factor.madeAt.toISOString(),
      ...present({
        confirmed_at: factor.confirmedAt?.toISOString(),
        last_used_at: factor.lastUsedAt?.toISOString(),
      }),
    })),
    trusted_devices: trusted.map((device) => ({
      id: device.wireNo,
      label: device.label,
      created_at: device.madeAt.toISOString(),
      expires_at: device.expiresAt.toISOString(),
      ip_address: device.address,
      ...present({ last_used_at: device.lastUsedAt?.toISOString() }),
    })),
    backup_codes: {
      total: codes.total,
      unused: codes.unused,
      ...present({
        last_used_at: codes.lastUsedAt?.toISOString(),
        last_generated_at: codes.madeAt?.toISOString(),
      }),
    },
    webauthn_available: true,
    ...present({
      recent_step_up_expires_at: who.factors.steppedUpUntil?.toISOString(),
      preferred_method: state?.preferredKind && kindWords[state.preferredKind],
    }),
  }
}
