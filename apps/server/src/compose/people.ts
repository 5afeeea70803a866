import type { FastifyRequest } from 'fastify'
import { configuredProviders } from '../boot/configured-providers.ts'
import { configuredFallbacks } from '../boot/configured-settings.ts'
import { cliSignIns, sweepCliSignIns } from '../features/cli-sign-in/index.ts'
import { sweepLimits, takeFromLimit } from '../features/limits/index.ts'
import { makeMfa, signInWithPasskey } from '../features/mfa/index.ts'
import {
  askProvider,
  countAdministratorsWithIdentity,
  providerDoor,
  signInWithProvider,
} from '../features/oidc/index.ts'
import {
  admitNewcomer,
  giveRoles,
  makeFirstTenant,
  makeLink,
  managePeople,
  setupToken,
  useLinks,
} from '../features/people/index.ts'
import { tellAdministrators } from '../features/recovery/index.ts'
import { credentialIn } from '../features/roles/index.ts'
import {
  authenticatePerson,
  endAllSessions,
  endSessions,
  isSessionToken,
  othersSessions,
  proveSession,
  readSessionLimits,
  sessionCookie,
  signIn,
  startSession,
  sweepAttempts,
  sweepSessions,
} from '../features/sessions/index.ts'
import { manageSettings, readSetting } from '../features/settings/index.ts'
import { makeFirstSigningKey } from '../features/signing/index.ts'
import { authenticateToken, manageTokens } from '../features/tokens/index.ts'
import type { Tx } from '../kernel/db.ts'
import type { Foundation } from './foundation.ts'
import type { ComposedRecord } from './record.ts'

export type ComposedPeople = ReturnType<typeof composePeople>

/** Who may do what: limits, settings, sign-in, sessions, factors, tokens, invitations. */
export function composePeople(foundation: Foundation, { record }: ComposedRecord) {
  const { config, baseUrl, db, clock, log, keyring, sealing, setupSecret, isSecure, newId, workers, bus } = foundation
  const limit = takeFromLimit({ db, clock })
  workers.add({ name: 'limit_sweep', everyMs: 3_600_000, work: sweepLimits({ db, clock }) })
  const configured = configuredFallbacks(config)
  const setting = readSetting({ db, bus, configured })
  const tenantNeeds = {
    db,
    clock,
    newId,
    recordAct: record,
    furnish: async (tx: Tx, tenant: string) => {
      await makeFirstSigningKey({ clock, newId, sealing })(tx, tenant)
    },
  }
  const makeTenant = makeFirstTenant(tenantNeeds)
  const token = setupToken(setupSecret)
  const policy = {
    attempts: config.signInAttempts,
    windowSeconds: config.signInWindowSeconds,
  }
  const stepUpMinutes = (tenant: string) => setting(tenant, 'mfa.step_up_minutes')
  const limitsOf = readSessionLimits(setting)
  const mfa = makeMfa({
    kernel: { db, clock, newId, bus },
    keyrings: { keyring, sealing },
    recordAct: record,
    log,
    proveSession: proveSession({ keyring, bus }),
    rp: {
      id: config.webauthnRpId ?? new URL(baseUrl).hostname,
      name: 'Countersign',
      origins: config.webauthnOrigins ?? [new URL(baseUrl).origin],
    },
    yubico:
      config.yubicoClientId !== undefined && config.yubicoSecretKey
        ? { clientId: config.yubicoClientId, secretKey: config.yubicoSecretKey, url: config.yubicoUrl }
        : undefined,
    trustedDeviceDays: (tenant) => setting(tenant, 'mfa.trusted_device_days'),
    stepUpMinutes,
    isSecure,
  })
  workers.add({ name: 'factor_sweep', everyMs: 600_000, work: mfa.sweep })
  const start = startSession({
    clock,
    newId,
    keyring,
    recordAct: record,
    limitsOf,
    isTrustedDevice: mfa.devices.isTrusted,
  })
  const sessions = authenticatePerson({ db, clock, keyring, bus, limitsOf, stepUpMinutes })
  const takesPassword = (tenant: string) => setting(tenant, 'sign_in.password')
  const enter = signIn({ db, clock, keyring, start, recordAct: record, takeFromLimit: limit, policy, takesPassword })
  const passkeys = signInWithPasskey({
    kernel: { db, clock, newId },
    keyrings: { keyring, sealing },
    recordAct: record,
    rp: mfa.rp,
    start,
    takeFromLimit: limit,
    takesPassword,
  })
  const leave = endSessions({ db, bus, recordAct: record })
  const cookie = (value: string, maxAgeSeconds: number): string => sessionCookie(value, maxAgeSeconds, isSecure)
  workers.add({ name: 'session_sweep', everyMs: 600_000, work: sweepSessions({ db, clock, limitsOf }) })
  const tokens = authenticateToken({ db, clock, keyring, bus, takeFromLimit: limit })
  workers.add({ name: 'token_uses', everyMs: 10_000, work: tokens.flushUses, isOwn: true })
  const caller = async (request: FastifyRequest) => {
    const credential = credentialIn(request.headers.authorization)
    if (!credential) return undefined
    if (credential.token.startsWith('rgw_')) return tokens.read(credential.token, request)
    return isSessionToken(credential.token) ? sessions.personOf(credential.token) : undefined
  }
  const tell = { bus, recordAct: record }
  const endAllOf = (tx: Tx, tenant: string, person: string) => endAllSessions(tx, bus, tenant, person)
  const tokenManager = manageTokens({ db, clock, newId, keyring, readSetting: setting, tell })
  const peopleManager = managePeople({
    db,
    clock,
    newId,
    makeLink: makeLink({ clock, newId, keyring, baseUrl }),
    tell: { ...tell, endSessionsOf: endAllOf, revokeTokensOf: tokenManager.revokeAllOf },
  })
  const providers = configuredProviders(config)
  const providerSignIn = signInWithProvider({
    kernel: { db, clock, newId, keyring, sealing, log },
    providers,
    baseUrl,
    ask: askProvider({ clock }),
    tell: {
      recordAct: record,
      start,
      giveRoles: giveRoles({ clock, newId, tell }),
      admitNewcomer: admitNewcomer({ clock, newId, tell }),
    },
  })
  const door = providerDoor({ clock, signIn: providerSignIn, takeFromLimit: limit, cookie, isSecure })
  workers.add({ name: 'sign_in_sweep', everyMs: 600_000, work: sweepAttempts({ db, clock }) })
  const cli = cliSignIns({
    kernel: { db, clock, newId, keyring },
    baseUrl,
    takeFromLimit: limit,
    recordAct: record,
    start,
  })
  workers.add({ name: 'cli_sign_in_sweep', everyMs: 600_000, work: sweepCliSignIns({ db, clock }) })
  const links = useLinks({
    db,
    clock,
    keyring,
    takeFromLimit: limit,
    tell: {
      bus,
      recordAct: record,
      takesPassword,
      endSessionsOf: endAllOf,
      start: (tx, person, credential, facts) => start(tx, { person, credential, facts }),
      recovered: async (tx, { tenant, id }) => {
        await tellAdministrators(tx, { tenant, recovered: id, stage: 'used', at: clock.now() })
      },
    },
  })

  const objections = {
    'sign_in.password': async (tx: Tx, tenant: string, value: unknown) =>
      value === false && (await countAdministratorsWithIdentity(tx, tenant)) === 0
        ? 'No administrator has signed in with an identity provider yet: nobody could get in to switch it on again.'
        : undefined,
  }
  const settings = manageSettings({ db, clock, bus, recordAct: record, configured, objections })
  const sessionsOfOthers = othersSessions({ db, clock, limitsOf, recordAct: record, bus })
  return {
    limit,
    setting,
    configured,
    tenantNeeds,
    makeTenant,
    token,
    policy,
    limitsOf,
    mfa,
    sessions,
    takesPassword,
    enter,
    passkeys,
    leave,
    cookie,
    tokens,
    caller,
    tell,
    tokenManager,
    peopleManager,
    providers,
    door,
    cli,
    links,
    settings,
    sessionsOfOthers,
  }
}
