import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Route } from '../src/features/roles/index.ts'
import { actsElsewhere } from './acts-elsewhere.ts'
import { entriesIn, type Line, routeMatrix } from './route-matrix.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from './server.ts'

// Every route of our API: it works, it refuses what does not fit, and another tenant's things do not exist.
// A route without its line below fails: add one.

let server: ServerApart
let acme: TestTenant
let globex: TestTenant
let things: Things

/** What belongs to acme. Every name and id of it is foreign to globex. */
type Things = {
  readonly session: string
  readonly colleague: string
  readonly colleagueSession: string
  readonly leaver: string
  readonly token: string
  readonly spareToken: string
  readonly key: string
  readonly spareKey: string
  readonly signingKey: string
  readonly oldSigningKey: string
  readonly oldPublicKey: string
  readonly rollout: string
  readonly rule: string
  readonly spareRule: string
  readonly approval: string
  readonly spareApproval: string
  readonly event: string
  readonly replay: string
  readonly spareReplay: string
  readonly trial: string
  readonly spareTrial: string
  readonly openTrial: string
  readonly hold: string
}

const yaml = (name: string, word = 'rm') => `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: ${name}
defaults:
  mode: enforce
rules:
  - id: no-${word}
    type: pre
    tool: Bash
    when:
      args.command: {contains: "${word}"}
    then:
      action: block
      message: "no ${word}"
`

const libraryRule = 'type: pre\ntool: Bash\nwhen: {args.command: {contains: rm}}\nthen: {action: block, message: no}\n'
const draftRule = { priority: 70, pattern: 'bot-*', tag_match: null, ruleset: 'acme-base', environment: 'production' }
/** The id of nothing. */
const nobody = '01900000-0000-7000-8000-000000000000'
const notAnId = { params: { id: 'nonsense' } }
const unknownField = { body: { surprise: true } }

const lines: Readonly<Record<string, Line<Things>>> = {
  'GET /trail/anchoring': { bad: 'takes nothing', foreign: 'not about things' },
  'GET /trail/anchors': { bad: { query: 'limit=0' }, foreign: 'not about things' },
  'GET /trail/retention': { bad: 'takes nothing', foreign: 'not about things' },
  'GET /trail/removals': { bad: { query: 'limit=0' }, foreign: 'not about things' },
  'GET /trail/holds': { bad: 'takes nothing', foreign: 'own list' },
  'POST /trail/holds': {
    leaves: 'hold.placed',
    body: () => ({ reason: 'case 17', from: '2026-01-01T00:00:00.000Z', until: null }),
    status: 201,
    bad: { body: { reason: '' } },
    foreign: 'not about things',
  },
  'POST /trail/holds/:id/lift': {
    leaves: 'hold.lifted',
    params: ({ hold }) => ({ id: hold }),
    body: ({ hold }) => ({ confirm: hold }),
    bad: notAnId,
    isLast: true,
  },
  'GET /trail/erasures': {
    query: 'data_subject=anyone:2026-01',
    bad: { query: 'data_subject=nobody' },
    foreign: 'own list',
  },
  'POST /trail/erasures': {
    leaves: 'person.erased',
    body: () => ({ data_subject: `person:${acme.person}`, confirm: `person:${acme.person}` }),
    bad: { body: { data_subject: 'nobody' } },
    isLast: true,
  },
  'POST /trail/anchors': { leaves: 'elsewhere', status: 409, bad: 'takes nothing', foreign: 'not about things' },
  'GET /setup': { foreign: 'not about things', bad: 'takes nothing' },
  'POST /setup': {
    leaves: 'elsewhere',
    body: () => ({ token: 'x', email: 'a@example.com', password: 'long enough a password' }),
    status: 409,
    bad: unknownField,
    foreign: 'not about things',
  },
  'GET /session': { bad: 'takes nothing', foreign: 'own list' },
  'POST /session': {
    leaves: 'session.started',
    body: () => ({ email: acme.email, password: server.password }),
    bad: unknownField,
    foreign: 'not about things',
  },
  'POST /sign-in/passkey/challenge': {
    leaves: { nothing: 'only begins' },
    bad: 'takes nothing',
    foreign: 'not about things',
  },
  'POST /sign-in/passkey': {
    leaves: 'elsewhere',
    body: () => ({ challenge_id: 'made up', credential: {} }),
    status: 401,
    bad: unknownField,
    foreign: 'not about things',
  },
  'DELETE /session': { leaves: 'session.ended', bad: 'takes nothing', foreign: 'not about things', isLast: true },
  'GET /sessions': { bad: 'takes nothing', foreign: 'own list' },
  'DELETE /sessions/:id': { leaves: 'session.ended', params: ({ session }) => ({ id: session }), bad: notAnId },
  'DELETE /sessions': { leaves: 'session.ended', bad: 'takes nothing', foreign: 'not about things', isLast: true },
  'PUT /session/password': {
    leaves: 'password.changed',
    body: () => ({ current_password: server.password, new_password: 'another long password' }),
    bad: unknownField,
    foreign: 'not about things',
    isLast: true,
  },
  'GET /environments': { bad: 'takes nothing', foreign: 'own list' },
  'POST /environments': {
    leaves: 'environment.created',
    body: () => ({ name: 'acme-new', color: 'blue' }),
    status: 201,
    bad: { body: { name: 'a b', color: 'blue' } },
    foreign: 'not about things',
  },
  'PATCH /environments/:name': {
    leaves: 'environment.changed',
    params: () => ({ name: 'acme-lab' }),
    body: () => ({ color: 'green' }),
    bad: { body: { color: 'mauve-ish' } },
  },
  'DELETE /environments/:name': {
    leaves: 'environment.deleted',
    params: () => ({ name: 'acme-lab' }),
    bad: { params: { name: '...' } },
    isLast: true,
  },
  'GET /environments/:name/baselines': {
    params: () => ({ name: 'acme-lab' }),
    bad: { params: { name: '...' } },
  },
  'PUT /environments/:name/baselines': {
    leaves: 'environment.baselines_changed',
    params: () => ({ name: 'acme-lab' }),
    body: () => ({ baselines: [] }),
    bad: { body: { baselines: [{ ruleset: 'acme-base' }] } },
  },
  'POST /environments/:name/baselines/preview': {
    leaves: { nothing: 'changes nothing' },
    params: () => ({ name: 'acme-lab' }),
    body: () => ({ baselines: [{ ruleset: 'acme-base', version: 1 }] }),
    bad: { body: { baselines: 'acme-base' } },
  },
  'GET /keys': { bad: { query: 'revoked=perhaps' }, foreign: 'own list' },
  'POST /keys': {
    leaves: 'key.created',
    body: () => ({ environment: 'production', label: 'acme-made' }),
    status: 201,
    bad: { body: { environment: 'production', label: '<b>' } },
    foreign: 'not about things',
  },
  'PATCH /keys/:id': {
    leaves: 'key.changed',
    params: ({ key }) => ({ id: key }),
    body: () => ({ label: 'acme-renamed' }),
    bad: unknownField,
  },
  'GET /keys/:id/consequence': { params: ({ key }) => ({ id: key }), bad: notAnId },
  'POST /keys/:id/revoke': { leaves: 'key.revoked', params: ({ spareKey }) => ({ id: spareKey }), bad: notAnId },
  'GET /access': {
    query: 'permission=fleet:read',
    bad: { query: 'permission=rack-deploys:write&rack=east' },
    foreign: 'not about things',
  },
  'GET /settings': { bad: 'takes nothing', foreign: 'own list' },
  'PUT /settings/:name': {
    leaves: 'setting.changed',
    params: () => ({ name: 'fleet.silent_minutes' }),
    body: () => ({ value: 45 }),
    bad: { body: { value: -1 } },
    foreign: 'not about things',
  },
  'DELETE /settings/:name': {
    leaves: 'setting.changed',
    params: () => ({ name: 'fleet.silent_minutes' }),
    bad: { params: { name: 'no.such' } },
    foreign: 'not about things',
  },
  'PUT /settings/mfa.:name': {
    leaves: 'setting.changed',
    params: () => ({ name: 'step_up_minutes' }),
    body: () => ({ value: 9 }),
    bad: { body: { value: -1 } },
    foreign: 'not about things',
  },
  'DELETE /settings/mfa.:name': {
    leaves: 'setting.changed',
    params: () => ({ name: 'step_up_minutes' }),
    bad: { params: { name: 'no.such' } },
    foreign: 'not about things',
  },
  'GET /mfa': { bad: 'takes nothing', foreign: 'own list' },
  'POST /mfa/verification': {
    leaves: 'elsewhere',
    body: () => ({ code: '000000' }),
    status: 403,
    bad: unknownField,
    foreign: 'not about things',
  },
  'POST /mfa/verification/challenge': {
    leaves: { nothing: 'only begins' },
    bad: 'takes nothing',
    status: 409,
    foreign: 'not about things',
  },
  'POST /mfa/verification/passkey': {
    leaves: 'elsewhere',
    body: () => ({ challenge_id: nobody, credential: {} }),
    status: 403,
    bad: { body: { challenge_id: 'x', credential: {} } },
    foreign: 'not about things',
  },
  'POST /mfa/verification/password': {
    leaves: 'factor.proven',
    body: () => ({ password: server.password }),
    bad: unknownField,
    foreign: 'not about things',
  },
  'POST /mfa/totp': {
    leaves: { nothing: 'only begins' },
    body: () => ({}),
    status: 201,
    bad: { body: { label: '<b>' } },
    foreign: 'not about things',
  },
  'POST /mfa/totp/:id/confirmation': {
    leaves: 'elsewhere',
    params: () => ({ id: nobody }),
    body: () => ({ code: '000000' }),
    status: 404,
    bad: notAnId,
    foreign: 'not about things',
  },
  'POST /mfa/passkeys/challenge': {
    leaves: { nothing: 'only begins' },
    bad: 'takes nothing',
    foreign: 'not about things',
  },
  'POST /mfa/passkeys': {
    leaves: 'elsewhere',
    body: () => ({ challenge_id: nobody, label: 'key', credential: {} }),
    status: 422,
    bad: unknownField,
    foreign: 'not about things',
  },
  'POST /mfa/yubico': {
    leaves: 'elsewhere',
    body: () => ({ otp: 'c'.repeat(44), label: 'key' }),
    status: 503,
    bad: { body: { otp: 'short', label: 'key' } },
    foreign: 'not about things',
  },
  'PATCH /mfa/factors/:id': {
    leaves: 'elsewhere',
    params: () => ({ id: nobody }),
    body: () => ({ label: 'key' }),
    status: 404,
    bad: unknownField,
  },
  'DELETE /mfa/factors/:id': { leaves: 'elsewhere', params: () => ({ id: nobody }), status: 404, bad: notAnId },
  'PUT /mfa/preferred': {
    leaves: 'factor.preferred',
    body: () => ({ preferred_kind: null }),
    bad: { body: { preferred_kind: 'horoscope' } },
    foreign: 'not about things',
  },
  'POST /mfa/backup-codes': { leaves: 'elsewhere', bad: 'takes nothing', status: 409, foreign: 'not about things' },
  'DELETE /mfa/devices/:id': { leaves: 'elsewhere', params: () => ({ id: nobody }), status: 404, bad: notAnId },
  'DELETE /mfa/reset-notice': { leaves: { nothing: 'takes note' }, bad: 'takes nothing', foreign: 'not about things' },
  'GET /mfa/required-roles': { bad: 'takes nothing', foreign: 'own list' },
  'PUT /mfa/required-roles': {
    leaves: 'setting.changed',
    body: () => ({ roles: ['cicd'] }),
    bad: { body: { roles: 'all' } },
    foreign: 'not about things',
  },
  'POST /people/:id/factors/reset': { leaves: 'elsewhere', params: () => ({ id: nobody }), status: 404, bad: notAnId },
  'POST /people/:id/factors/unlock': { leaves: 'factors.unlocked', params: () => ({ id: acme.person }), bad: notAnId },
  'GET /rulesets': { bad: 'takes nothing', foreign: 'own list' },
  'POST /rulesets/check': {
    leaves: { nothing: 'changes nothing' },
    body: () => ({ yaml: yaml('acme-base') }),
    bad: unknownField,
    foreign: 'not about things',
  },
  'POST /rulesets/evaluate': {
    leaves: { nothing: 'changes nothing' },
    body: () => ({ ruleset: 'acme-base', version: 1, call: { tool: 'Bash', args: { command: 'rm x' } } }),
    bad: { body: { call: { tool: 'Bash', args: {} } } },
  },
  'POST /rulesets': {
    leaves: 'ruleset.uploaded',
    body: () => ({ yaml: yaml('acme-base', 'dd') }),
    status: 201,
    bad: { body: { yaml: 'kind: [' } },
    foreign: 'not about things',
  },
  'GET /rulesets/:name': { params: () => ({ name: 'acme-base' }), bad: { params: { name: '-' } } },
  'GET /rulesets/:name/revisions': { params: () => ({ name: 'acme-base' }), bad: { query: 'limit=many' } },
  'GET /rulesets/:name/revisions/:version': {
    params: () => ({ name: 'acme-base', version: '1' }),
    bad: { params: { name: 'acme-base', version: 'first' } },
  },
  'GET /rulesets/:name/diff': { params: () => ({ name: 'acme-base' }), query: 'from=1&to=2', bad: { query: 'from=1' } },
  'POST /rulesets/:name/rollouts/preview': {
    leaves: { nothing: 'changes nothing' },
    params: () => ({ name: 'acme-base' }),
    body: () => ({ version: 2, environment: 'production' }),
    bad: unknownField,
  },
  'POST /rulesets/:name/rollouts': {
    leaves: 'ruleset.rolled_out',
    params: () => ({ name: 'acme-base' }),
    body: () => ({ version: 2, environment: 'production', note: '', kind: 'rollout' }),
    status: 201,
    bad: { body: { version: 99, environment: 'production', kind: 'rollout' } },
  },
  'GET /rollouts': { bad: { query: 'limit=-1' }, foreign: 'own list' },
  'GET /rollouts/:id': { params: ({ rollout }) => ({ id: rollout }), bad: notAnId },
  'POST /rulesets/:name/trials': {
    leaves: ['rollout_trial.started', 'ruleset.rolled_out'],
    params: () => ({ name: 'acme-base' }),
    body: () => ({ version: 2, environment: 'development', minutes: 5 }),
    status: 201,
    bad: { body: { version: 2, environment: 'development', minutes: 0 } },
  },
  'GET /trials': { bad: { query: 'limit=0' }, foreign: 'own list' },
  'POST /trials/:id/cancellation': {
    leaves: 'rollout_trial.cancelled',
    params: ({ trial }) => ({ id: trial }),
    bad: notAnId,
  },
  'POST /trials/:id/promotion': {
    leaves: ['rollout_trial.enforced', 'ruleset.rolled_out'],
    params: ({ spareTrial }) => ({ id: spareTrial }),
    body: () => ({ note: 'acme knows' }),
    bad: unknownField,
  },
  'GET /jobs': { bad: { query: 'status=odd' }, foreign: 'own list' },
  'GET /jobs/recurring': { bad: 'takes nothing', foreign: 'not about things' },
  'GET /jobs/:id': { params: ({ replay }) => ({ id: replay }), bad: notAnId },
  'POST /jobs/:id/cancellation': {
    leaves: 'rollout_trial.cancelled',
    params: ({ openTrial }) => ({ id: openTrial }),
    bad: notAnId,
  },
  'POST /jobs/:id/retry': {
    leaves: 'replay.retried',
    params: ({ spareReplay }) => ({ id: spareReplay }),
    bad: notAnId,
  },
  'POST /replays': {
    leaves: 'replay.requested',
    body: () => ({ ruleset: 'acme-base', version: 1, since: '2026-01-01T00:00:00Z' }),
    status: 201,
    bad: { body: { ruleset: 'acme-base', version: 1, since: 'yesterday' } },
  },
  'GET /replays': { bad: { query: 'version=first' }, foreign: 'own list' },
  'GET /replays/:id': { params: ({ replay }) => ({ id: replay }), bad: notAnId },
  'POST /replays/:id/cancellation': {
    leaves: 'elsewhere',
    params: ({ replay }) => ({ id: replay }),
    status: 409,
    bad: notAnId,
  },
  'GET /signing-keys': { bad: 'takes nothing', foreign: 'own list' },
  'POST /signing-keys/rotate': { leaves: 'signing_key.rotated', bad: 'takes nothing', foreign: 'not about things' },
  'GET /signing-keys/:id/followers': { params: ({ signingKey }) => ({ id: signingKey }), bad: notAnId },
  'POST /signing-keys/:id/retire': {
    leaves: 'signing_key.retired',
    params: ({ oldSigningKey }) => ({ id: oldSigningKey }),
    body: ({ oldPublicKey }) => ({ confirm: oldPublicKey.slice(0, 8) }),
    bad: unknownField,
  },
  'GET /assignment-rules': { bad: 'takes nothing', foreign: 'own list' },
  'POST /assignment-rules': {
    leaves: 'assignment_rule.created',
    body: () => ({ ...draftRule, priority: 71 }),
    status: 201,
    bad: { body: { ...draftRule, pattern: 'a/b' } },
    foreign: 'not about things',
  },
  'PATCH /assignment-rules/:id': {
    leaves: 'assignment_rule.changed',
    params: ({ rule }) => ({ id: rule }),
    body: () => ({ pattern: 'acme-*' }),
    bad: { body: { priority: -1 } },
  },
  'DELETE /assignment-rules/:id': {
    leaves: 'assignment_rule.deleted',
    params: ({ spareRule }) => ({ id: spareRule }),
    bad: notAnId,
  },
  'POST /assignment-rules/preview': {
    leaves: { nothing: 'changes nothing' },
    body: () => ({ rule: { ...draftRule, priority: 99 } }),
    bad: unknownField,
    foreign: 'not about things',
  },
  'GET /assignments/resolve': {
    query: 'agent=acme-bot&environment=production',
    bad: { query: 'environment=production' },
    foreign: 'own list',
  },
  'GET /assignments': { bad: { query: 'limit=0' }, foreign: 'own list' },
  'PUT /assignments': {
    leaves: 'assignment.made',
    body: () => ({ agent_ids: ['acme-bot'], environment: 'production', ruleset: 'acme-base' }),
    bad: { body: { agent_ids: [], environment: 'production', ruleset: null } },
    foreign: 'not about things',
  },
  'GET /trail': { bad: { query: 'since=yesterday' }, foreign: 'own list' },
  'GET /trail/head': { bad: 'takes nothing', foreign: 'not about things' },
  'GET /trail/facets': { bad: { query: 'since=yesterday' }, foreign: 'own list' },
  'GET /trail/export': {
    leaves: 'trail.exported',
    query: 'format=csv',
    bad: { query: 'format=xlsx' },
    foreign: 'own list',
  },
  'GET /trail/continuation': { query: 'from=0', bad: { query: 'from=all' }, foreign: 'not about things' },
  'GET /trail/:number/proof': { params: () => ({ number: '0' }), bad: { params: { number: 'minus-one' } } },
  'GET /trail/:number': { params: () => ({ number: '0' }), bad: { params: { number: 'minus-one' } } },
  'GET /library/rules': { bad: { query: 'type=none' }, foreign: 'own list' },
  'POST /library/rules': {
    leaves: 'library_rule.created',
    body: () => ({ rule_id: 'acme-other', name: 'Other', yaml: libraryRule }),
    status: 201,
    bad: { body: { rule_id: 'acme-bad', name: 'Bad', yaml: 'type: none' } },
    foreign: 'not about things',
  },
  'GET /library/rules/:rule_id': { params: () => ({ rule_id: 'acme-rule' }), bad: { params: { rule_id: 'A B' } } },
  'GET /library/rules/:rule_id/versions/:version': {
    params: () => ({ rule_id: 'acme-rule', version: '1' }),
    bad: { params: { rule_id: 'acme-rule', version: 'first' } },
  },
  'PUT /library/rules/:rule_id': {
    leaves: 'library_rule.changed',
    params: () => ({ rule_id: 'acme-rule' }),
    body: () => ({ name: 'acme renamed' }),
    bad: { body: {} },
  },
  'DELETE /library/rules/:rule_id': {
    leaves: 'library_rule.deleted',
    params: () => ({ rule_id: 'acme-spare' }),
    bad: { params: { rule_id: 'A B' } },
    isLast: true,
  },
  'GET /library/templates': { bad: 'takes nothing', foreign: 'not about things' },
  'POST /library/import': {
    leaves: ['library_rule.created', 'composition.created'],
    body: () => ({ yaml: yaml('acme-imported') }),
    status: 201,
    bad: { body: { yaml: 'kind: [' } },
    foreign: 'not about things',
  },
  'GET /compositions': { bad: { query: 'limit=0' }, foreign: 'own list' },
  'POST /compositions': {
    leaves: 'composition.created',
    body: () => ({ name: 'acme-new', items: [{ rule_id: 'acme-rule' }] }),
    status: 201,
    bad: { body: { name: 'acme-bad', items: [{ rule_id: 'nobody' }] } },
    foreign: 'not about things',
  },
  'GET /compositions/:name': { params: () => ({ name: 'acme-made' }), bad: { params: { name: '-' } } },
  'PUT /compositions/:name': {
    leaves: 'composition.changed',
    params: () => ({ name: 'acme-made' }),
    body: () => ({ description: 'acme', expected_edit: 1 }),
    bad: { body: { description: 'x' } },
  },
  'DELETE /compositions/:name': {
    leaves: 'composition.deleted',
    params: () => ({ name: 'acme-made' }),
    bad: { params: { name: '-' } },
    isLast: true,
  },
  'POST /compositions/:name/preview': {
    leaves: { nothing: 'changes nothing' },
    params: () => ({ name: 'acme-made' }),
    bad: { params: { name: '-' } },
  },
  'POST /compositions/:name/revisions': {
    leaves: 'ruleset.uploaded',
    params: () => ({ name: 'acme-made' }),
    status: 201,
    bad: { params: { name: '-' } },
  },
  'POST /compositions/:name/rollouts': {
    leaves: 'ruleset.rolled_out',
    params: () => ({ name: 'acme-made' }),
    body: () => ({ environment: 'production' }),
    status: 201,
    bad: { body: { environment: 'a b' } },
  },
  'GET /coverage': { bad: { query: 'since=yesterday' }, foreign: 'own list' },
  'GET /agents/:id/coverage': {
    params: () => ({ id: 'acme-bot' }),
    query: 'environment=production',
    bad: { query: 'environment=a%20b' },
  },
  'POST /rulesets/:name/draft-rule': {
    leaves: { nothing: 'changes nothing' },
    params: () => ({ name: 'acme-base' }),
    body: () => ({ tool: 'acme-tool' }),
    bad: { body: { tool: '' } },
  },
  'GET /agents': { bad: { query: 'status=happy' }, foreign: 'own list' },
  'GET /agents/:id': {
    params: () => ({ id: 'acme-bot' }),
    query: 'environment=production',
    bad: { query: 'environment=a%20b' },
  },
  'GET /agents/:id/history': {
    params: () => ({ id: 'acme-bot' }),
    query: 'environment=production',
    bad: { query: 'limit=0' },
  },
  'PATCH /agents/:id': {
    leaves: 'agent.changed',
    params: () => ({ id: 'acme-bot' }),
    query: 'environment=production',
    body: () => ({ display_name: 'acme robot' }),
    bad: { body: { tags: 'none' } },
  },
  'DELETE /agents/:id': {
    leaves: 'agent.removed',
    params: () => ({ id: 'acme-bot' }),
    query: 'environment=production',
    bad: { params: { id: '-' } },
    isLast: true,
  },
  'GET /approvals': { bad: { query: 'status=maybe' }, foreign: 'own list' },
  'GET /approvals/:id': { params: ({ approval }) => ({ id: approval }), bad: notAnId },
  'POST /approvals/:id/decision': {
    leaves: 'approval.approved',
    params: ({ approval }) => ({ id: approval }),
    body: () => ({ approve: true, reason: 'fine' }),
    bad: unknownField,
  },
  'POST /approvals/:id/countersignature': {
    leaves: { nothing: 'only begins' },
    params: ({ approval }) => ({ id: approval }),
    body: () => ({ approve: true }),
    status: 409,
    bad: unknownField,
  },
  'GET /approvals/:id/countersignature': {
    leaves: 'elsewhere',
    params: ({ approval }) => ({ id: approval }),
    status: 409,
    bad: { query: 'proofs=perhaps' },
  },
  'GET /environments/:name/approval-policies': {
    params: () => ({ name: 'acme-lab' }),
    bad: { params: { name: '...' } },
  },
  'PUT /environments/:name/approval-policies': {
    leaves: 'approval_policies.changed',
    params: () => ({ name: 'acme-lab' }),
    body: () => ({ policies: [{ rule: null, proof: 'step-up', approvers: 2, excludes_owner: true }] }),
    bad: { body: { policies: [{ rule: null, proof: 'trust me', approvers: 2, excludes_owner: true }] } },
  },
  // Each item says by itself whether it exists; features/approvals tests that another tenant's do not.
  'POST /approvals/decisions': {
    leaves: 'approval.denied',
    body: () => ({ decisions: [{ id: things.spareApproval, approve: false, reason: 'no' }] }),
    bad: { body: { decisions: [] } },
    foreign: 'not about things',
  },
  'POST /approvals/:id/cancellation': {
    leaves: 'elsewhere',
    params: ({ spareApproval }) => ({ id: spareApproval }),
    body: () => ({ reason: 'obsolete' }),
    status: 409,
    bad: { body: { reason: 5 } },
  },
  'GET /events': { bad: { query: 'since=yesterday' }, foreign: 'own list' },
  'GET /events/facets': { bad: { query: 'since=yesterday' }, foreign: 'own list' },
  'GET /events/histogram': { bad: { query: 'buckets=0' }, foreign: 'own list' },
  'GET /events/export': {
    leaves: 'events.exported',
    query: 'format=csv',
    bad: { query: 'format=xml' },
    foreign: 'own list',
  },
  'POST /events/purge': {
    leaves: 'events.purged',
    body: () => ({ older_than_days: 3000, confirm: 'purge events' }),
    bad: { body: { older_than_days: 1, confirm: 'yes' } },
    foreign: 'not about things',
  },
  'GET /events/:id': { params: ({ event }) => ({ id: event }), bad: notAnId },
  'GET /overview': { bad: { query: 'environment=a%20b' }, foreign: 'own list' },
  'GET /people': { bad: { query: 'status=happy' }, foreign: 'own list' },
  'GET /people/:id': { params: ({ colleague }) => ({ id: colleague }), bad: notAnId },
  'POST /people': {
    leaves: 'person.invited',
    body: () => ({ email: 'acme-new@example.com', roles: [{ role: 'viewer', environment: null }] }),
    status: 201,
    bad: { body: { email: 'acme-bad@example.com', roles: [{ role: 'no-such', environment: null }] } },
    foreign: 'not about things',
  },
  'PATCH /people/:id': {
    leaves: 'person.changed',
    params: ({ colleague }) => ({ id: colleague }),
    body: () => ({ name: 'acme colleague' }),
    bad: { body: { roles: [{ role: 'cicd', environment: null }] } },
  },
  'POST /people/:id/link': {
    leaves: 'person.link_made',
    params: ({ colleague }) => ({ id: colleague }),
    status: 201,
    bad: notAnId,
  },
  'POST /people/:id/suspension': {
    leaves: 'person.suspended',
    params: ({ leaver }) => ({ id: leaver }),
    body: () => ({ reason: 'on leave' }),
    bad: { body: {} },
  },
  'DELETE /people/:id/suspension': { leaves: 'person.resumed', params: ({ leaver }) => ({ id: leaver }), bad: notAnId },
  'POST /people/:id/lock': {
    leaves: 'person.locked',
    params: ({ leaver }) => ({ id: leaver }),
    body: () => ({ reason: 'lost laptop' }),
    bad: { body: { reason: '' } },
  },
  'DELETE /people/:id/lock': { leaves: 'person.unlocked', params: ({ leaver }) => ({ id: leaver }), bad: notAnId },
  'DELETE /people/:id': {
    leaves: 'person.removed',
    params: ({ leaver }) => ({ id: leaver }),
    bad: notAnId,
    isLast: true,
  },
  'GET /people/:id/sessions': { params: ({ colleague }) => ({ id: colleague }), bad: notAnId },
  'DELETE /people/:id/sessions/:session': {
    leaves: 'session.revoked',
    params: ({ colleague, colleagueSession }) => ({ id: colleague, session: colleagueSession }),
    bad: { params: { id: 'nonsense', session: 'nonsense' } },
  },
  'DELETE /people/:id/sessions': {
    leaves: 'session.revoked',
    params: ({ colleague }) => ({ id: colleague }),
    bad: notAnId,
  },
  'POST /links/state': {
    leaves: { nothing: 'changes nothing' },
    body: () => ({ link: 'x' }),
    status: 404,
    bad: unknownField,
    foreign: 'not about things',
  },
  'POST /links/acceptance': {
    leaves: 'elsewhere',
    body: () => ({ link: 'x', password: 'long enough a password' }),
    status: 404,
    bad: unknownField,
    foreign: 'not about things',
  },
  'DELETE /recovery-notices/:id': {
    leaves: { nothing: 'takes note' },
    params: () => ({ id: nobody }),
    status: 404,
    bad: notAnId,
  },
  'POST /cli-sign-ins': {
    leaves: { nothing: 'only begins' },
    body: () => ({ device: 'acme-laptop' }),
    status: 201,
    bad: unknownField,
    foreign: 'not about things',
  },
  'POST /cli-sign-ins/look': {
    leaves: { nothing: 'changes nothing' },
    body: () => ({ code: 'BBBB-BBBB' }),
    status: 404,
    bad: unknownField,
  },
  'POST /cli-sign-ins/decision': {
    leaves: 'elsewhere',
    body: () => ({ code: 'BBBB-BBBB', approve: true }),
    status: 404,
    bad: unknownField,
  },
  'POST /cli-sign-ins/completion': {
    leaves: 'elsewhere',
    body: () => ({ state: 'x', verifier: 'y' }),
    status: 404,
    bad: unknownField,
    foreign: 'not about things',
  },
  'GET /sign-in/providers': { bad: 'takes nothing', foreign: 'not about things' },
  'GET /roles': { bad: 'takes nothing', foreign: 'own list' },
  'GET /roles/:name/holders': { params: () => ({ name: 'acme-role' }), bad: { params: { name: 'A B' } } },
  'POST /roles': {
    leaves: 'role.created',
    body: () => ({ name: 'acme-other', permissions: ['fleet:read'] }),
    status: 201,
    bad: { body: { name: 'acme-bad', permissions: ['everything'] } },
    foreign: 'not about things',
  },
  'PATCH /roles/:name': {
    leaves: 'role.changed',
    params: () => ({ name: 'acme-role' }),
    body: () => ({ description: 'acme keeps it' }),
    bad: { body: { permissions: [] } },
  },
  'DELETE /roles/:name': {
    leaves: 'role.removed',
    params: () => ({ name: 'acme-spare-role' }),
    bad: { params: { name: 'admin' } },
    isLast: true,
  },
  'GET /tokens': { bad: { query: 'revoked=perhaps' }, foreign: 'own list' },
  'GET /tokens/choices': { bad: 'takes nothing', foreign: 'own list' },
  'GET /tokens/:id': { params: ({ token }) => ({ id: token }), bad: notAnId },
  'POST /tokens': {
    leaves: 'token.created',
    body: () => ({ name: 'acme-ci', role: 'cicd' }),
    status: 201,
    bad: { body: { name: 'acme-bad', permissions: ['people:write'] } },
    foreign: 'not about things',
  },
  'PATCH /tokens/:id': {
    leaves: 'token.changed',
    params: ({ token }) => ({ id: token }),
    body: () => ({ name: 'acme-renamed' }),
    bad: { body: { expires_at: '2001-01-01T00:00:00Z' } },
  },
  'POST /tokens/:id/rotation': {
    leaves: 'token.rotated',
    params: ({ token }) => ({ id: token }),
    body: () => ({ overlap_hours: 1 }),
    status: 201,
    bad: { body: { overlap_hours: -1 } },
  },
  'POST /tokens/:id/revocation': {
    leaves: 'token.revoked',
    params: ({ spareToken }) => ({ id: spareToken }),
    bad: notAnId,
  },
  'GET /search': { query: 'q=acme', bad: { query: `q=${'x'.repeat(3000)}` }, foreign: 'own list' },
}

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  globex = await server.newTenant('globex')
  things = await furnish()
})

afterAll(() => server.stop())

async function furnish(): Promise<Things> {
  const must = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await server.call(method, `/api/v2${path}`, {
      cookie: acme.cookie,
      ...(body !== undefined && { body }),
    })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.body as Record<string, unknown>
  }
  const id = (body: Record<string, unknown>): string => String(body['id'])
  await must('POST', '/environments', { name: 'acme-lab', color: 'blue' })
  const { id: key, key: secret } = await server.newKey(acme)
  const { id: spareKey } = await server.newKey(acme)
  const signing = (await must('GET', '/signing-keys'))['items'] as { id: string; public_key: string }[]
  await must('POST', '/signing-keys/rotate')
  const current = ((await must('GET', '/signing-keys'))['items'] as { id: string; is_current?: boolean }[]).find(
    (one) => one.id !== signing[0]?.id,
  )
  await must('POST', '/rulesets', { yaml: yaml('acme-base') })
  await must('POST', '/rulesets', { yaml: yaml('acme-base', 'mkfs') })
  const rollout = await must('POST', '/rulesets/acme-base/rollouts', {
    version: 1,
    environment: 'production',
    note: 'first',
    kind: 'rollout',
  })
  await must('POST', '/library/rules', { rule_id: 'acme-rule', name: 'Rule', yaml: libraryRule })
  await must('POST', '/library/rules', { rule_id: 'acme-spare', name: 'Spare', yaml: libraryRule })
  await must('POST', '/compositions', { name: 'acme-made', items: [{ rule_id: 'acme-rule' }] })
  const trial = id(
    await must('POST', '/rulesets/acme-base/trials', { version: 2, environment: 'staging', minutes: 60 }),
  )
  await must('POST', '/rulesets', { yaml: yaml('acme-tried') })
  const spareTrial = id(
    await must('POST', '/rulesets/acme-tried/trials', { version: 1, environment: 'staging', minutes: 60 }),
  )
  await must('POST', '/rulesets', { yaml: yaml('acme-open') })
  const openTrial = id(
    await must('POST', '/rulesets/acme-open/trials', { version: 1, environment: 'staging', minutes: 60 }),
  )
  const replayId = id(
    await must('POST', '/replays', { ruleset: 'acme-base', version: 1, since: '2026-01-01T00:00:00Z' }),
  )
  while ((await must('GET', `/replays/${replayId}`))['ended_at'] === null);
  const spareReplay = id(
    await must('POST', '/replays', { ruleset: 'acme-base', version: 1, since: '2026-01-01T00:00:00Z' }),
  )
  while ((await must('GET', `/replays/${spareReplay}`))['ended_at'] === null);
  await server.db.query(`update replays as r set status = 'failed', result = null where r.id = $1`, [spareReplay])
  const rule = await must('POST', '/assignment-rules', { ...draftRule, priority: 5 })
  const spareRule = await must('POST', '/assignment-rules', { ...draftRule, priority: 6 })
  const agent = { key: secret, agent: 'acme-bot' }
  const ask = async (): Promise<string> => {
    const { body } = await server.call('POST', '/v1/approvals', {
      ...agent,
      body: {
        agent_id: 'acme-bot',
        tool_name: 'deploy',
        tool_args: { app: 'acme-shop' },
        message: 'acme asks',
        timeout: 600,
      },
    })
    return id(body as Record<string, unknown>)
  }
  const approval = await ask()
  const spareApproval = await ask()
  await server.call('POST', '/v1/events', {
    ...agent,
    body: {
      events: [
        {
          call_id: 'acme-call',
          agent_id: 'acme-bot',
          tool_name: 'acme-tool',
          action: 'call_allowed',
          mode: 'enforce',
          timestamp: new Date().toISOString(),
          tool_args: {},
        },
      ],
    },
  })
  let event = ''
  while (event === '') {
    const { items } = (await must('GET', '/events')) as { items: { id: string }[] }
    event = items[0]?.id ?? ''
  }
  // Known to the fleet once it was heard of; what was noted is written many at a time.
  for (let known = 0; known === 0; ) {
    const { items } = (await must('GET', '/agents')) as { items: unknown[] }
    known = items.length
  }
  const colleague = await server.newPerson(acme, [{ role: 'viewer', environment: null }], 'acme-colleague@example.com')
  const leaver = await server.newPerson(acme, [{ role: 'ops', environment: 'staging' }], 'acme-leaver@example.com')
  const { items: theirs } = (await must('GET', `/people/${colleague.person}/sessions`)) as { items: { id: string }[] }
  await must('POST', '/roles', { name: 'acme-role', permissions: ['fleet:read'] })
  await must('POST', '/roles', { name: 'acme-spare-role', permissions: ['fleet:read'] })
  const token = await must('POST', '/tokens', { name: 'acme-token', permissions: ['fleet:read'] })
  const spareToken = await must('POST', '/tokens', { name: 'acme-spare-token', permissions: ['fleet:read'] })
  const { items: sessions } = (await must('GET', '/sessions')) as { items: { id: string }[] }
  await server.signIn(acme.email)
  const { items: more } = (await must('GET', '/sessions')) as { items: { id: string; is_current: boolean }[] }
  const session = more.find((one) => !one.is_current)?.id ?? sessions[0]?.id ?? ''
  return {
    session,
    colleague: colleague.person,
    colleagueSession: theirs[0]?.id ?? '',
    leaver: leaver.person,
    token: id(token),
    spareToken: id(spareToken),
    key,
    spareKey,
    signingKey: current?.id ?? '',
    oldSigningKey: signing[0]?.id ?? '',
    oldPublicKey: signing[0]?.public_key ?? '',
    rollout: id(rollout),
    rule: id(rule),
    spareRule: id(spareRule),
    approval,
    spareApproval,
    event,
    replay: replayId,
    spareReplay,
    trial,
    spareTrial,
    openTrial,
    hold: id(await must('POST', '/trail/holds', { reason: 'case 16' })),
  }
}

const ordinary = (): readonly Route[] =>
  server.app.routes.native.filter(({ answersItself, path }) => answersItself !== true || path.endsWith('/export'))
/** Whoever asks; a changed password and signing out give another cookie. */
let own: TestTenant
const matrix = routeMatrix({
  routes: ordinary,
  lines,
  things: () => things,
  me: () => acme.person,
  entriesOf: (request) => entriesIn(server)(request),
  ask: (who, method, path, body) =>
    server.call(method, `/api/v2${path}`, {
      cookie: (who === 'own' ? own : globex).cookie,
      ...(body !== undefined && { body }),
    }),
})

describe('every route of our API', () => {
  beforeAll(() => {
    own = acme
  })

  test('has its line in this table, and every line its route', () => matrix.expectEveryLine())

  test('that leaves something in the trail where more than a request is needed is shown to do so', () => {
    const elsewhere = Object.entries(lines).filter(([, { leaves }]) => leaves === 'elsewhere')
    expect(elsewhere.map(([name]) => name).toSorted()).toEqual(Object.keys(actsElsewhere).toSorted())
  })

  test('refuses what does not fit with a problem that names the field, and never fails', () =>
    matrix.refuseBad([400, 404, 409, 422], ({ headers, body }) => {
      expect.soft(headers.get('content-type')).toContain('application/problem+json')
      expect.soft(body).toMatchObject({
        detail: expect.any(String) as string,
        code: expect.any(String) as string,
        request_id: expect.any(String) as string,
      })
    }))

  test('shows another tenant nothing and lets it change nothing', () =>
    matrix.hideFromForeign(
      [acme.tenant, acme.email, ...Object.values(things)],
      ({ text }, { route: { path }, seen }) => {
        // These two say again what they were asked.
        if (path === '/search' || path === '/assignments/resolve') return
        expect.soft(text, seen).not.toMatch(/acme-(base|bot|tool|lab|call)/)
      },
    ))

  test('does what it says', () =>
    matrix.succeed({
      // A changed password replaces the session's token, and signing out ends it.
      after: async ({ method, path }, answer) => {
        if (path === '/session/password') own = { ...acme, cookie: cookieIn(answer) }
        if (path === '/session' && method === 'DELETE') own = { ...acme, cookie: await server.signIn(acme.email) }
      },
    }))
})

function cookieIn(answer: Answer): string {
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}
