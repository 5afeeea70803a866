import { randomToken } from '../../kernel/crypto.ts'
import type { Tx } from '../../kernel/db.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf } from '../trail/index.ts'
import { deleteDeviceElsewhere, insertDevice, useDevice } from './devices-table.ts'
import type { FactorNeeds } from './factor-needs.ts'

const cookieName = 'countersign_device'

type Needs = Pick<FactorNeeds, 'kernel' | 'recordAct'> & {
  readonly keyring: FactorNeeds['keyrings']['keyring']
  /** 0 trusts none. */
  readonly days: (tenant: string) => Promise<number>
  readonly isSecure: boolean
}

/** Whether the browser behind a cookie header was trusted by this person; used at sign-in and nowhere else. */
export type IsTrustedDevice = (
  tx: Tx,
  whom: { readonly tenant: string; readonly person: string },
  facts: RequestFacts,
) => Promise<boolean>

/** Browsers that need no second step at sign-in. They replace no factor for a sharp act. */
export function trustDevices({ kernel, keyring, recordAct, days, isSecure }: Needs) {
  const { db, clock, newId } = kernel
  const tokenIn = (header: string | undefined): string | undefined =>
    header
      ?.split(';')
      .map((part) => part.trim())
      .find((part) => part.startsWith(`${cookieName}=`))
      ?.slice(cookieName.length + 1)

  return {
    days,
    isTrusted: (async (tx, { tenant, person }, facts) => {
      const { cookies, userAgent } = facts
      const token = tokenIn(cookies?.reveal())
      const daysTrusted = await days(tenant)
      if (token === undefined || token === '' || daysTrusted === 0) return false
      const digests = keyring.digests('trusted-device', token)
      const agentDigests = keyring.digests('trusted-device', `agent\n${userAgent}`)
      const used = { tenant, person, digests, agentDigests, days: daysTrusted }
      if ((await useDevice(tx, used, clock.now())) !== undefined) return true
      const id = await deleteDeviceElsewhere(tx, { tenant, person, digests })
      if (id !== undefined) {
        await recordAct(tx, {
          tenant,
          act: 'device.forgotten',
          actor: { kind: 'person', id: person, credential: 'trusted_device' },
          subject: { kind: 'device', id },
          request: facts,
          details: { why: 'its token came from another browser, or too late' },
        })
      }
      return false
    }) satisfies IsTrustedDevice,

    /** Answers the cookie to set, or nothing when this tenant trusts no browser. */
    trust: async (who: Person, facts: RequestFacts): Promise<string | undefined> => {
      const daysTrusted = await days(who.tenant)
      if (daysTrusted === 0) return undefined
      const token = randomToken()
      const id = newId()
      const madeAt = clock.now()
      const expiresAt = new Date(madeAt.getTime() + daysTrusted * 86_400_000)
      await db.inTx(async (tx) => {
        await insertDevice(tx, {
          tenant: who.tenant,
          id,
          person: who.id,
          tokenDigest: keyring.digest('trusted-device', token),
          agentDigest: keyring.digest('trusted-device', `agent\n${facts.userAgent}`),
          label: facts.userAgent.slice(0, 160) || 'Unknown browser',
          address: facts.address,
          madeAt,
          expiresAt,
        })
        await recordAct(tx, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'device.trusted',
          subject: { kind: 'device', id },
          request: facts,
          details: { until: expiresAt.toISOString() },
        })
      })
      return `${cookieName}=${token}; Path=/api; HttpOnly; SameSite=Lax; Max-Age=${daysTrusted * 86_400}${isSecure ? '; Secure' : ''}`
    },

    /** Which of a person's devices a request came from. */
    digestsIn: (cookieHeader: string | undefined): readonly string[] => {
      const token = tokenIn(cookieHeader)
      return token === undefined ? [] : keyring.digests('trusted-device', token)
    },
  }
}

export type TrustDevices = ReturnType<typeof trustDevices>
