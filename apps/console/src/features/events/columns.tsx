import type { Column } from '../../ui/data-table/columns.ts'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { durationWords } from '../../ui/instants.ts'
import { Plain } from '../../ui/plain/plain.tsx'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './events.module.css'
import { Moment } from './moment.tsx'
import type { Event } from './types.ts'
import { badgeOf } from './words.ts'

const code = (text: string | null) =>
  text === null ? null : (
    <code className={ui.cutMono} title={text} dir="auto">
      <Plain text={text} />
    </code>
  )

/** On a narrow screen the time of day, the verdict, who and what; the drawer has the rest. */
export function columnsFor(isNarrow: boolean, isInOneEnvironment: boolean): readonly Column<Event>[] {
  return [
    {
      id: 'at',
      header: 'When',
      width: isNarrow ? '74px' : '162px',
      isFixed: true,
      cell: ({ at }) => <Moment at={at} isShort={isNarrow} />,
    },
    {
      id: 'verdict',
      header: 'Verdict',
      width: isNarrow ? '106px' : '118px',
      isFixed: true,
      cell: (event) => <VerdictBadge {...badgeOf(event)} />,
    },
    {
      id: 'agent',
      header: 'Agent',
      width: isNarrow ? 'minmax(86px, 1fr)' : 'minmax(130px, 1fr)',
      isFixed: true,
      cell: ({ agent_id }) => code(agent_id),
    },
    {
      id: 'tool',
      header: 'Tool',
      width: isNarrow ? 'minmax(86px, 1fr)' : 'minmax(140px, 1fr)',
      isFixed: true,
      cell: ({ tool }) => code(tool),
    },
    {
      id: 'reason',
      header: 'Rule and reason',
      width: 'minmax(200px, 2.6fr)',
      isWideOnly: true,
      cell: ({ rule, reason }) => (
        <>
          {rule !== null && (
            <code className={classes.rule} title={rule}>
              {rule}
            </code>
          )}
          {reason !== null && (
            <span className={ui.cutFaint} title={reason} dir="auto">
              <Plain text={reason} />
            </span>
          )}
        </>
      ),
    },
    {
      id: 'environment',
      header: 'Environment',
      width: '118px',
      isWideOnly: true,
      isHiddenAtFirst: isInOneEnvironment,
      cell: ({ environment }) => <EnvironmentTag name={environment} />,
    },
    {
      id: 'duration',
      header: 'Took',
      width: '70px',
      align: 'end',
      isWideOnly: true,
      cell: ({ duration_ms }) =>
        duration_ms === null ? null : <span className={ui.quiet}>{durationWords(duration_ms)}</span>,
    },
    {
      id: 'mode',
      header: 'Mode',
      width: '90px',
      isHiddenAtFirst: true,
      isWideOnly: true,
      cell: ({ mode }) => <span className={ui.quiet}>{mode}</span>,
    },
    {
      id: 'effect',
      header: 'Side effect',
      width: '110px',
      isHiddenAtFirst: true,
      isWideOnly: true,
      cell: ({ side_effect }) => <span className={ui.quiet}>{side_effect}</span>,
    },
    {
      id: 'revision',
      header: 'Revision',
      width: '120px',
      isHiddenAtFirst: true,
      isWideOnly: true,
      cell: ({ revision }) => revision !== null && <RevisionChip hash={revision} />,
    },
    {
      id: 'call',
      header: 'Call',
      width: '120px',
      isHiddenAtFirst: true,
      isWideOnly: true,
      cell: ({ call_id }) => code(call_id),
    },
    {
      id: 'session',
      header: 'Session',
      width: '120px',
      isHiddenAtFirst: true,
      isWideOnly: true,
      cell: ({ session_id }) => code(session_id),
    },
    {
      id: 'key',
      header: 'Key',
      width: '150px',
      isHiddenAtFirst: true,
      isWideOnly: true,
      cell: ({ key_prefix }) => code(key_prefix),
    },
  ]
}
