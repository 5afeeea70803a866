type Details = Readonly<Record<string, unknown>>

const words: Readonly<Record<string, string>> = {
  'agent.changed': 'changed an agent',
  'anchor.requested': 'had the trail anchored',
  'anyone.erased': 'erased what was recorded of strangers',
  'approval.approved': 'approved a call',
  'approval.denied': 'denied a call',
  'approval.decided': 'decided a call',
  'approval.timed_out': 'let a call run out of time',
  'approval.cancelled': 'cancelled a call',
  'approval.requested': 'asked for an approval',
  'assignment.changed': 'changed an assignment',
  'assignment_rule.created': 'made an assignment rule',
  'assignment_rule.changed': 'changed an assignment rule',
  'assignment_rule.deleted': 'removed an assignment rule',
  'call.intended': 'is about to make a call',
  'environment.created': 'added an environment',
  'environment.changed': 'changed an environment',
  'environment.deleted': 'removed an environment',
  'environment.baselines_changed': 'changed the baselines of an environment',
  'events.purged': 'purged events',
  'hold.placed': 'placed a legal hold',
  'hold.lifted': 'lifted a legal hold',
  'key.created': 'made a key',
  'key.changed': 'changed a key',
  'key.revoked': 'revoked a key',
  'password.changed': 'changed a password',
  'person.erased': 'erased what the trail says of a person',
  'person.differs_from_seed': 'found other roles than the configuration names',
  'person.invited': 'made an account',
  'person.admitted': 'let a newcomer in',
  'person.seeded': 'added somebody the configuration names',
  'person.changed': 'changed a person',
  'person.link_made': 'made a link for somebody',
  'person.joined': 'joined',
  'person.suspended': 'suspended somebody',
  'person.resumed': 'lifted a suspension',
  'person.locked': 'locked somebody out',
  'person.unlocked': 'lifted a lock',
  'person.removed': 'removed somebody',
  'trail.span_removed': 'archived and removed expired entries',
  'role.created': 'made a role',
  'role.changed': 'changed a role',
  'role.removed': 'removed a role',
  'secrets.resealed': 'sealed what was under an older key anew',
  'token.created': 'made an API token',
  'token.changed': 'changed an API token',
  'token.rotated': 'rotated an API token',
  'token.revoked': 'revoked an API token',
  'replay.requested': 'ordered a replay',
  'replay.cancelled': 'cancelled a replay',
  'replay.retried': 'began a replay again',
  'library_rule.created': 'put a rule into the library',
  'library_rule.changed': 'changed a rule of the library',
  'library_rule.deleted': 'removed a rule of the library',
  'composition.created': 'made a composition',
  'composition.changed': 'changed a composition',
  'composition.deleted': 'removed a composition',
  'rollout.created': 'rolled out',
  'rollout_trial.started': 'rolled out to observe first',
  'rollout_trial.enforced': 'let an observed rollout enforce',
  'rollout_trial.stopped': 'kept an observed rollout from enforcing',
  'rollout_trial.cancelled': 'abandoned an observed rollout',
  'rollout_trial.superseded': 'ended an observed rollout, since another took its place',
  'route.refused': 'was refused',
  'ruleset.rolled_out': 'rolled out',
  'ruleset.uploaded': 'uploaded a revision',
  'session.started': 'signed in',
  'session.revoked': 'ended a session',
  'session.changed': 'changed a session',
  'factor.added': 'added a second factor',
  'factor.changed': 'changed a second factor',
  'factor.removed': 'removed a second factor',
  'factor.preferred': 'chose the first second factor',
  'factor.proven': 'proved a second factor',
  'factor.refused': 'failed a second factor',
  'factor.locked': 'was locked after wrong codes',
  'session.refused': 'tried to sign in',
  'session.ended': 'signed out',
  'setting.changed': 'changed a setting',
  'setting.reset': 'reset a setting',

  'signing_key.rotated': 'rotated the signing key',
  'signing_key.retired': 'retired a signing key',
  'tenant.created': 'set up this server',
}

/** Acts whose name says less than their details do. */
const closer: Readonly<Record<string, (details: Details) => string | undefined>> = {
  'factor.proven': ({ kind }) => (kind === 'password' ? 'gave the password again' : undefined),
  'factor.refused': ({ why }) => (why === 'wrong_password' ? 'gave a wrong password' : undefined),
  'route.refused': (details) => (asksForProof(details) ? 'was asked to prove who it is' : undefined),
  'ruleset.rolled_out': ({ kind }) => rolledOut[String(kind)],
}

const rolledOut: Readonly<Record<string, string>> = { rollback: 'rolled back', promotion: 'promoted' }

/** A request that was only put off until somebody proves who they are, as any page asks: nothing was tried that is not allowed. */
export function asksForProof({ code }: Details): boolean {
  return code === 'mfa_step_up_required' || code === 'mfa_required'
}

/** What was done, as the rest of a sentence that begins with who did it. Unknown ones keep their own name, readable. */
export function actWords(act: string, details: Details): string {
  return closer[act]?.(details) ?? words[act] ?? act.replace('.', ': ').replaceAll('_', ' ')
}
