import type * as wire from '@countersign/wire'
import type { Static } from '@countersign/wire'

export type {
  ApprovalDetail,
  ApprovalPolicy,
  ApprovalStatus,
  ApprovalsPage,
  DecisionsResult,
  FactorStatus,
  ListedApproval,
  Permission,
  SearchKind,
  SigningKey,
  SigningKeyFollowers,
  StreamEventName,
  TrailEntryShown,
} from '@countersign/wire'

// Types only: the schemas themselves stay on the server, where they are checked.
export type Session = Static<typeof wire.sessionView>
export type SessionEnvironment = Session['environments'][number]
export type SessionRow = Static<typeof wire.sessionRow>
export type FactorItem = wire.FactorStatus['factors'][number]
export type PasskeyOptions = Static<typeof wire.passkeyOptions>
export type EnrolledFactor = Static<typeof wire.enrolledFactor>
export type TotpStarted = Static<typeof wire.totpStarted>
export type SignInWays = Static<typeof wire.signInProviders>
export type WaitingCommandLine = Static<typeof wire.cliSignInWaiting>
export type CountersignatureChallenge = Static<typeof wire.countersignatureChallenge>
export type SetupState = Static<typeof wire.setupState>
export type PrincipalRef = Static<typeof wire.principalRef>
export type Environment = Static<typeof wire.environment>
export type AgentKey = Static<typeof wire.agentKey>
export type MadeAgentKey = Static<typeof wire.madeAgentKey>
export type KeyConsequence = Static<typeof wire.keyConsequence>
export type Setting = Static<typeof wire.setting>
export type Overview = Static<typeof wire.overview>
export type SearchHits = {
  readonly hits: readonly {
    readonly kind: wire.SearchKind
    readonly id: string
    readonly label: string
    readonly hint: string
  }[]
}
export type TrailFacets = Static<typeof wire.trailFacets>
export type TrailProof = Static<typeof wire.trailProof>
export type TrailContinuation = Static<typeof wire.trailContinuation>
export type TrailHead = Static<typeof wire.trailHead>
export type TrailEntryWithBytes = Static<typeof wire.trailEntryWithBytes>

/** A page of the trail; `looked` when a search opened as many entries as one page may. */
export type TrailPage = Static<typeof wire.trailPage>

export type Page<Item> = {
  readonly items: readonly Item[]
  readonly next_cursor: string | null
  readonly total?: number
}
