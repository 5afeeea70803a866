import { TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useEnvironment } from '../../frame/environment.ts'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { SearchIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { eventQuery } from '../events/queries.ts'
import type { Event, EventsPageAnswer } from '../events/types.ts'
import { badgeOf } from '../events/words.ts'
import type { CallDraft } from './call-draft.ts'
import { callOfEvent } from './call-of-event.ts'
import classes from './rehearse.module.css'

const shown = 60

const columns: readonly Column<Event>[] = [
  { id: 'at', header: 'When', width: '78px', isFixed: true, cell: ({ at }) => <Instant at={at} /> },
  {
    id: 'verdict',
    header: 'Verdict',
    width: '118px',
    isFixed: true,
    cell: (one) => <VerdictBadge {...badgeOf(one)} />,
  },
  {
    id: 'tool',
    header: 'Tool',
    width: 'minmax(110px, 1fr)',
    isFixed: true,
    cell: ({ tool }) => <code className={ui.cutMono}>{tool}</code>,
  },
  {
    id: 'agent',
    header: 'Agent',
    width: 'minmax(110px, 1fr)',
    isWideOnly: true,
    cell: ({ agent_id }) => <code className={ui.cutMono}>{agent_id}</code>,
  },
]

type Props = { readonly onPick: (call: Partial<CallDraft>) => void; readonly onClose: () => void }

/** The newest calls agents reported; one of them becomes the call that is tried. */
export function PickCall({ onPick, onClose }: Props) {
  const environment = useEnvironment()
  const client = useQueryClient()
  const [words, setWords] = useState('')
  const [sought] = useDebouncedValue(words.trim(), 250)
  const list = useQuery({
    queryKey: ['events', 'to pick', environment, sought],
    queryFn: ({ signal }) =>
      api.get<EventsPageAnswer>('/events', { query: { environment, q: sought, limit: shown }, signal }),
    placeholderData: keepPreviousData,
  })
  const rows = list.data?.items ?? []
  const pick = async ({ id }: Event): Promise<void> => {
    try {
      onPick(callOfEvent(await client.fetchQuery(eventQuery(id))))
    } catch (error) {
      tellFailure('The call could not be read', wordsFor(error))
    }
  }
  return (
    <SideDrawer isOpen onClose={onClose} title="Pick a recorded call" width={640}>
      <div className={classes.pick}>
        <TextInput
          aria-label="Find a call"
          placeholder="Tool, agent, argument or reason"
          leftSection={<SearchIcon size={14} />}
          value={words}
          onChange={(event) => setWords(event.currentTarget.value)}
          data-autofocus
        />
        <Listing
          list={list}
          hasRows={rows.length > 0}
          what="The calls"
          empty={
            sought === '' ? (
              <EmptyState title="No agent has reported a call yet">
                As soon as one does, its calls can be tried here on any text.
              </EmptyState>
            ) : (
              <FilteredToNothing what="calls" onClear={() => setWords('')} />
            )
          }
        >
          <DataTable
            label="Recorded calls"
            columns={columns}
            rows={rows}
            rowId={({ id }) => id}
            onOpen={(event) => void pick(event)}
            footer={rows.length === shown ? `The newest ${shown}; words narrow them.` : null}
          />
        </Listing>
      </div>
    </SideDrawer>
  )
}
