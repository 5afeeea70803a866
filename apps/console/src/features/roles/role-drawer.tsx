import { Button, Switch } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import { placeWords } from '../people/words.ts'
import { type FactorRoles, factorRolesQuery, holdersQuery, pathOf } from './queries.ts'
import { RoleForm } from './role-form.tsx'
import classes from './roles.module.css'
import type { Role, RoleList } from './types.ts'
import { grouped, isGrantable } from './words.ts'

type Props = { readonly role: Role; readonly list: RoleList; readonly onClose: () => void }

/** One role: what it is for, who holds it, and, where it is one's own, its editor. */
export function RoleDrawer({ role, list, onClose }: Props) {
  const mayWrite = useCan('roles:write') && !role.is_built_in && isGrantable(role, list.permissions)
  const mayReadPeople = useCan('people:read')
  const mayReadSettings = useCan('settings:read')
  return (
    <SideDrawer isOpen onClose={onClose} title={role.title} width={600}>
      <div className={classes.form}>
        {role.description !== '' && <p className={classes.lead}>{role.description}</p>}
        <p className={classes.quiet}>
          {role.is_built_in
            ? 'Built in: it stays as it is. Make a role of your own that begins with it to differ.'
            : `Your own, ${role.name} in the API.`}
          {!role.for_people && ' Only API tokens are made from it.'}
        </p>
        {role.for_people && mayReadSettings && <NeedsFactor role={role} />}
        {role.for_people && mayReadPeople && <Holders role={role} />}
        {mayWrite ? (
          <>
            <RoleForm role={role} list={list} onDone={onClose} />
            <Remove role={role} onDone={onClose} />
          </>
        ) : (
          <Allowed role={role} list={list} />
        )}
      </div>
    </SideDrawer>
  )
}

/** Whether its holders must have a second factor, also where not everybody must. */
function NeedsFactor({ role: { name, title } }: { readonly role: Role }) {
  const client = useQueryClient()
  const mayWrite = useCan('settings:write')
  const { data, error, isError, refetch } = useQuery(factorRolesQuery)
  const save = useMutation({
    mutationFn: (roles: readonly string[]) => api.put<FactorRoles>('/mfa/required-roles', { roles }),
    onSuccess: (saved) => {
      client.setQueryData(factorRolesQuery.queryKey, saved)
      tell(
        saved.roles.includes(name) ? `${title} needs a second factor` : `${title} needs no second factor of its own`,
        'It holds from the next request of everybody who holds it.',
      )
    },
  })
  if (isError && !data)
    return <Failed what="Which roles need a factor could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={1} />
  const others = data.roles.filter((one) => one !== name)
  return (
    <>
      <Switch
        label="Its holders need a second factor"
        description="Whoever has none adds one before anything else. Settings can ask it of everybody."
        checked={data.roles.includes(name)}
        disabled={!mayWrite || save.isPending}
        onChange={(event) => save.mutate(event.currentTarget.checked ? [...others, name] : others)}
      />
      {save.isError && <Notice tone="bad">{wordsFor(save.error)}</Notice>}
    </>
  )
}

function Allowed({ role, list }: Pick<Props, 'role' | 'list'>) {
  const held = list.permissions.filter(({ name }) => role.permissions.includes(name))
  return (
    <section aria-label="What it allows" className={classes.allowed}>
      {grouped(held).map(({ word, permissions }) => (
        <div key={word}>
          <h3>{word}</h3>
          <ul>
            {permissions.map(({ name, does }) => (
              <li key={name} title={name}>
                {does}
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  )
}

function Holders({ role: { name } }: { readonly role: Role }) {
  const { data, error, isError, refetch } = useQuery(holdersQuery(name))
  if (isError && !data)
    return <Failed what="Its holders could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={2} />
  return (
    <section aria-label="Who holds it">
      <h3>
        {data.items.length === 0 ? 'Nobody holds it' : `Held by ${counted(data.items.length, 'person', 'people')}`}
      </h3>
      <ul className={classes.holders}>
        {data.items.map(({ person_id, email, ...place }) => (
          <li key={`${person_id} ${placeWords(place)}`}>
            <PageLink to={`/people/${person_id}`}>{email}</PageLink>
            <span className={classes.quiet}>{placeWords(place)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Remove({ role: { name, title, people }, onDone }: { readonly role: Role; readonly onDone: () => void }) {
  const client = useQueryClient()
  const [isAsking, setAsking] = useState(false)
  const remove = useMutation({
    mutationFn: () => api.delete(pathOf(name)),
    onSuccess: () => {
      tell(`${title} was removed`)
      onDone()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['roles'] }),
  })
  return (
    <div className={classes.acts}>
      <span className={classes.quiet}>{people > 0 && 'Only a role that nobody holds can be removed.'}</span>
      <Button variant="default" disabled={people > 0} onClick={() => setAsking(true)}>
        Remove the role
      </Button>
      <ConfirmDestructive
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={`Remove ${title}`}
        name={name}
        action="Remove the role"
        onConfirm={() => remove.mutate()}
        isBusy={remove.isPending}
        error={remove.error}
      >
        <p>Nobody holds it now. API tokens that were made from it keep their own permissions.</p>
      </ConfirmDestructive>
    </div>
  )
}
