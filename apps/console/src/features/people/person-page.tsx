import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { tell } from '../../ui/tell.tsx'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { GrantsEditor } from './grants-editor.tsx'
import classes from './people.module.css'
import { PersonActs } from './person-acts.tsx'
import { PersonSessions } from './person-sessions.tsx'
import { pathOf, personQuery } from './queries.ts'
import { personRoute } from './route.ts'
import type { Person, RoleGrant } from './types.ts'
import { factorWords, isSameGrants, rolesWords, standingMarks } from './words.ts'

export function PersonPage() {
  const { id } = personRoute.useParams()
  const { data, error, isError, refetch } = useQuery(personQuery(id))
  return (
    <Page
      title={data ? nameOf(data) : 'Person'}
      width="full"
      crumbs={[{ word: 'People', to: '/people' }]}
      aside={data && <VerdictBadge {...standingMarks[data.status]} />}
    >
      {isError && !data && <Failed what="The person could not be read" error={error} onRetry={() => void refetch()} />}
      {!data && !isError && <Loading rows={6} />}
      {data && <Body key={`${data.id} ${data.name} ${data.email} ${rolesWords(data.roles)}`} person={data} />}
    </Page>
  )
}

function nameOf({ name, email }: Person): string {
  return name === '' ? email : name
}

function Body({ person }: { readonly person: Person }) {
  const mayWrite = useCan('people:write')
  const mayReadRoles = useCan('roles:read')
  return (
    <div className={classes.page}>
      <Standing person={person} />
      <About person={person} />
      {mayWrite && <Rename person={person} />}
      {mayWrite && mayReadRoles && <Roles person={person} />}
      <PersonSessions person={person} />
      {mayWrite && !person.is_you && <PersonActs person={person} />}
      {mayWrite && person.is_you && (
        <p className={classes.quiet}>
          This is you: whoever else may administer people can suspend, lock or remove you; you cannot lock yourself out.
        </p>
      )}
    </div>
  )
}

function Standing({ person: { status, status_reason, status_since, locked_until } }: { readonly person: Person }) {
  if (status !== 'suspended' && status !== 'locked') return null
  return (
    <Notice tone="care" title={status === 'locked' ? 'Cannot sign in: locked' : 'Suspended: cannot sign in or act'}>
      {status_reason ?? 'Nobody said why.'}
      {status_since && (
        <>
          {' '}
          Since <Instant at={status_since} form="exact" />.
        </>
      )}
      {locked_until && (
        <>
          {' '}
          Ends by itself <Instant at={locked_until} form="exact" />.
        </>
      )}
    </Notice>
  )
}

function About({ person }: { readonly person: Person }) {
  const {
    email,
    roles,
    has_password,
    identities,
    last_signed_in_at,
    made_at,
    made_by,
    invitation_expires_at,
    factors,
  } = person
  const ways = [...(has_password ? ['password'] : []), ...identities.map(({ provider }) => provider)]
  return (
    <Facts>
      <Fact name="Address">
        {email}
        <CopyButton text={email} what="the address" />
      </Fact>
      <Fact name="Roles">{rolesWords(roles)}</Fact>
      <Fact name="Signs in with">{ways.length === 0 ? 'nothing yet' : ways.join(', ')}</Fact>
      <Fact name="Second factors">
        {factors.length === 0 && 'none'}
        {factors.map(({ kind, since, last_used_at }, at) => (
          <span key={`${kind} ${since}`}>
            {at > 0 && ' · '}
            {factorWords[kind]} since <Instant at={since} form="exact" />
            {last_used_at ? (
              <>
                , last used <Instant at={last_used_at} />
              </>
            ) : (
              ', never used since'
            )}
          </span>
        ))}
      </Fact>
      <Fact name="Last signed in">{last_signed_in_at ? <Instant at={last_signed_in_at} form="exact" /> : 'never'}</Fact>
      <Fact name="Here since">
        <Instant at={made_at} form="exact" />
        {made_by && ` by ${made_by.label}`}
      </Fact>
      {invitation_expires_at && (
        <Fact name="Invitation">
          open until <Instant at={invitation_expires_at} form="exact" />
        </Fact>
      )}
    </Facts>
  )
}

/** A change of a person, told and shown at once. */
function useChange({ id }: Person, said: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: { readonly name?: string; readonly email?: string; readonly roles?: readonly RoleGrant[] }) =>
      api.patch<Person>(pathOf(id), body),
    onSuccess: (changed) => {
      client.setQueryData(personQuery(id).queryKey, changed)
      tell(said, 'It holds from their next request.')
    },
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => ['people', 'roles', 'session'].includes(String(queryKey[0])),
      }),
  })
}

function Rename({ person }: { readonly person: Person }) {
  const [name, setName] = useState(person.name)
  const [email, setEmail] = useState(person.email)
  const change = useChange(person, 'Name and address were changed')
  const faults = fieldErrors(change.error)
  const isSame = name.trim() === person.name && email.trim() === person.email
  return (
    <form
      className={classes.section}
      aria-label="Name and address"
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate({
          ...(name.trim() !== person.name && { name: name.trim() }),
          ...(email.trim() !== person.email && { email: email.trim() }),
        })
      }}
    >
      <h2>Name and address</h2>
      <div className={classes.two}>
        <TextInput
          label="Name"
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={faults['name']}
        />
        <TextInput
          label="E-mail address"
          type="email"
          maxLength={255}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          error={faults['email']}
        />
      </div>
      {change.isError && Object.keys(faults).length === 0 && <Notice tone="bad">{wordsFor(change.error)}</Notice>}
      <div className={classes.acts}>
        <Button type="submit" variant="default" disabled={isSame} loading={change.isPending}>
          Save
        </Button>
      </div>
    </form>
  )
}

function Roles({ person }: { readonly person: Person }) {
  const [grants, setGrants] = useState<readonly RoleGrant[]>(person.roles)
  const change = useChange(person, 'The roles were changed')
  const faults = fieldErrors(change.error)
  return (
    <form
      className={classes.section}
      aria-label="Roles"
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate({ roles: grants })
      }}
    >
      <h2>Roles</h2>
      <GrantsEditor grants={grants} onChange={setGrants} fault={faults['roles']} />
      {change.isError && faults['roles'] === undefined && <Notice tone="bad">{wordsFor(change.error)}</Notice>}
      <div className={classes.acts}>
        <Button
          type="submit"
          variant="default"
          disabled={isSameGrants(grants, person.roles)}
          loading={change.isPending}
        >
          Change the roles
        </Button>
      </div>
    </form>
  )
}
