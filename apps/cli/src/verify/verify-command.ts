import { readFile } from 'node:fs/promises'
import {
  NotANote,
  NotAProof,
  NotSigned,
  readCheckpoint,
  readNote,
  readVerifier,
  type Trust,
  type VerifiedDecision,
  verifyCountersignatures,
} from '@countersign/trail'
import { Command } from 'commander'
import type { Surroundings } from '../database-options.ts'
import { approvalHelp } from './help.ts'

type Shell = Pick<Surroundings, 'print' | 'fail'>
type Options = {
  readonly key?: readonly string[]
  readonly logKey?: string
  readonly checkpoint?: string
  readonly json?: boolean
}

/** `verify approval`: what an outsider runs on a file somebody gave them. */
export function verifyCommand({ print, fail }: Shell): Command {
  const verify = new Command('verify')
    .description('Check what somebody exported, with no trust in a server')
    .exitOverride()
  verify
    .command('approval')
    .description('Check who countersigned an approval')
    .argument('<file>', 'as the console exported it')
    .option('--key <public key...>', 'public key of a passkey that is trusted')
    .option('--log-key <text>', 'public key of the log that is trusted')
    .option('--checkpoint <file>', 'signed checkpoint that is trusted')
    .option('--json', 'print a JSON object')
    .addHelpText('after', approvalHelp)
    .action(async (path: string, options: Options) => {
      const text = await readFile(path, 'utf8')
      const trust = await trustOf(options)
      try {
        const decisions = verifyCountersignatures(text, trust)
        print(
          options.json ? `${JSON.stringify({ holds: true, decisions: decisions.map(plain) })}\n` : report(decisions),
        )
      } catch (cause) {
        if (!(cause instanceof NotSigned || cause instanceof NotAProof || cause instanceof NotANote)) throw cause
        print(
          options.json
            ? `${JSON.stringify({ holds: false, why: cause.message })}\n`
            : `It does not hold. ${cause.message}\n`,
        )
        fail()
      }
    })
  return verify
}

async function trustOf({ key = [], logKey, checkpoint }: Options): Promise<Trust> {
  if (key.length === 0 && logKey === undefined && checkpoint === undefined)
    throw new Error('Say what you trust: --key, --log-key or --checkpoint. A file cannot vouch for itself.')
  return {
    keys: key,
    ...(logKey !== undefined && { log: readVerifier(logKey.trim()) }),
    ...(checkpoint !== undefined && { head: readCheckpoint(readNote(await readFile(checkpoint, 'utf8')).text) }),
  }
}

function plain(decision: VerifiedDecision) {
  const { decision: said, reason, decider, approvalDigest, asked, publicKey, entries = null } = decision
  return { decision: said, reason, decider, approval_digest: approvalDigest, asked, public_key: publicKey, entries }
}

function report(decisions: readonly VerifiedDecision[]): string {
  const lines = decisions.flatMap((one) => [
    `${one.decision === 'approve' ? 'Approved' : 'Denied'} by ${one.decider}, for ${one.relying_party}`,
    `  call      ${String(one.asked['tool'])} by ${String(one.asked['agent'])} in ${String(one.asked['environment'])}`,
    `  approval  ${String(one.asked['id'])}`,
    `  digest    ${one.approvalDigest}`,
    `  reason    ${one.reason ?? 'none'}`,
    `  key       ${one.publicKey}`,
    ...(one.entries
      ? [
          `  trail     decision is entry ${one.entries.decision}, the passkey was registered in entry ${one.entries.registration}`,
        ]
      : []),
  ])
  return `${lines.join('\n')}\n\nIt holds: signed with ${decisions.length === 1 ? 'a passkey' : `${decisions.length} passkeys`} that you trust.\n`
}
