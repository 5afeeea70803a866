import type { ReplayOutcome } from '@countersign/rehearsal'

/** The outcome of a replay for people. */
export function replayText({ counts, rules, samples, assumptions, skipped }: ReplayOutcome): string {
  const lines = [
    `${counts.calls} calls, ${counts.distinctCalls} of them different`,
    `  newly blocked  ${counts.newlyBlocked}`,
    `  newly held     ${counts.newlyHeld}`,
    `  newly allowed  ${counts.newlyAllowed}`,
    `  the same       ${counts.same}`,
    `  undecided      ${counts.undecided}`,
    ...(skipped > 0 ? [`  left out       ${skipped}`] : []),
    ...(rules.length > 0 ? ['', 'By rule'] : []),
    ...rules.map(
      ({ rule, newlyBlocked, newlyHeld, newlyAllowed, undecided, observed }) =>
        `  ${rule === '' ? '(no rule)' : rule}: ${[
          [newlyBlocked, 'newly blocked'],
          [newlyHeld, 'newly held'],
          [newlyAllowed, 'newly allowed'],
          [undecided, 'undecided'],
          [observed, 'observed'],
        ]
          .filter(([count]) => count !== 0)
          .map(([count, words]) => `${count} ${words}`)
          .join(', ')}`,
    ),
    ...(samples.length > 0 ? ['', 'Samples'] : []),
    ...samples
      .slice(0, 20)
      .map(
        ({ tool, args, was, now, count, agent }) =>
          `  ${was.verdict} → ${now.verdict}  ${count} × ${tool} ${short(JSON.stringify(args))} by ${agent}${now.rule === undefined ? '' : ` (${now.rule})`}`,
      ),
    ...(assumptions.length > 0 ? ['', 'Taken for granted', ...assumptions.map((one) => `  ${one}`)] : []),
  ]
  return `${lines.join('\n')}\n`
}

function short(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}
