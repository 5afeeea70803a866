const words: Readonly<Record<string, string>> = {
  'agent.changed': 'changed an agent',
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
  'events.purged': 'purged events',
  'key.created': 'made a key',
  'key.changed': 'changed a key',
  'key.revoked': 'revoked a key',
  'password.changed': 'changed a password',
  'person.invited': 'made an account',
  'rollout.created': 'rolled out',
  'route.refused': 'tried what is not allowed',
  'ruleset.rolled_out': 'rolled out',
  'ruleset.uploaded': 'uploaded a revision',
  'session.started': 'signed in',
  'session.refused': 'tried to sign in',
  'session.ended': 'signed out',
  'setting.changed': 'changed a setting',
  'setting.reset': 'reset a setting',

  'signing_key.rotated': 'rotated the signing key',
  'signing_key.retired': 'retired a signing key',
  'tenant.created': 'set up this server',
}

/** What was done, as the rest of a sentence that begins with who did it. Unknown ones keep their own name, readable. */
export function actWords(act: string): string {
  return words[act] ?? act.replace('.', ': ').replaceAll('_', ' ')
}
