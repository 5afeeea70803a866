import type { Route } from '../features/roles/index.ts'
import type { csrfTokens } from '../features/sessions/index.ts'
import { pageEntries } from '../features/trail/index.ts'
import { rackTokenRoutes } from '../surfaces/rack/api-tokens.ts'
import { rackAuditRoutes } from '../surfaces/rack/audit-logs.ts'
import { rackInfoRoutes } from '../surfaces/rack/info.ts'
import { rackMfaRoutes } from '../surfaces/rack/mfa.ts'
import { rackSettingRoutes } from '../surfaces/rack/settings.ts'
import { rackSignInRoutes } from '../surfaces/rack/sign-in.ts'
import { rackUserRoutes } from '../surfaces/rack/users.ts'
import type { Foundation } from './foundation.ts'
import type { ComposedPeople } from './people.ts'
import type { ComposedRecord } from './record.ts'

/** What Rack Gateway's clients speak. */
export function rackRoutes(
  foundation: Foundation,
  { record }: ComposedRecord,
  people: ComposedPeople,
  csrf: ReturnType<typeof csrfTokens>,
): Route[] {
  const { version, db, clock, sealing, isSecure } = foundation
  const { mfa, leave, cookie, tokenManager, peopleManager, providers, door, cli, settings, sessionsOfOthers } = people
  return [
    ...rackSignInRoutes({ db, providers, door, cli, endSessions: leave, isSecure }),
    ...rackInfoRoutes({ mfa, csrf, version }),
    ...rackMfaRoutes({ mfa, clock, cookie }),
    ...rackUserRoutes({ db, clock, people: peopleManager, sessions: sessionsOfOthers }),
    ...rackTokenRoutes({ db, clock, tokens: tokenManager }),
    ...rackAuditRoutes({ db, clock, entries: pageEntries({ db, keyring: sealing }), recordAct: record }),
    ...rackSettingRoutes({ settings }),
  ]
}
