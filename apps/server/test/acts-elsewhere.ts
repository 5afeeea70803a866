/**
 * What successes leave in the trail that need more than a request: a device in somebody's hand, another browser, a bucket.
 * acts.test.ts does each of them; the table of routes says for these that they are shown there.
 */
export const actsElsewhere = {
  'POST /setup': 'tenant.created',
  'POST /sign-in/passkey': 'session.started',
  'POST /mfa/verification': 'factor.proven',
  'POST /mfa/verification/passkey': 'factor.proven',
  'POST /mfa/totp/:id/confirmation': 'factor.added',
  'POST /mfa/passkeys': 'factor.added',
  'POST /mfa/yubico': 'factor.added',
  'PATCH /mfa/factors/:id': 'factor.changed',
  'DELETE /mfa/factors/:id': 'factor.removed',
  'POST /mfa/backup-codes': 'backup_codes.renewed',
  'DELETE /mfa/devices/:id': 'device.forgotten',
  'POST /people/:id/factors/reset': 'factors.reset',
  'POST /cli-sign-ins/decision': 'cli.approved',
  'POST /cli-sign-ins/completion': 'session.started',
  'POST /links/acceptance': 'person.joined',
  'POST /replays/:id/cancellation': 'replay.cancelled',
  'POST /trail/anchors': 'anchor.requested',
  'POST /approvals/:id/cancellation': 'approval.cancelled',
  'GET /approvals/:id/countersignature': 'approval.exported',
} as const
