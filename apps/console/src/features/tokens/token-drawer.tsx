import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { CopyButton } from '../../ui/copy-button.tsx'
import parts from '../../ui/drawer-parts.module.css'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Notice } from '../../ui/notice.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { pathOf } from './queries.ts'
import { RotateToken } from './rotate-token.tsx'
import classes from './tokens.module.css'
import type { ApiToken } from './types.ts'
import { statusMarks } from './words.ts'

type Props = { readonly token: ApiToken; readonly onClose: () => void }

export function TokenDrawer({ token, onClose }: Props) {
  const { status, permissions, environments, owner } = token
  const mayWrite = useCan('tokens:write') && status !== 'revoked'
  return (
    <SideDrawer isOpen onClose={onClose} title={token.name} width={540}>
      <div className={classes.form}>
        {status === 'stopped' && (
          <Notice tone="care">
            Its owner, {owner.label}, is suspended or locked: it works again when they are not.
          </Notice>
        )}
        <Facts>
          <Fact name="Token">
            <code>{token.prefix}…</code>
            <CopyButton text={token.prefix} what="the beginning of the token" />
          </Fact>
          <Fact name="Status">
            <VerdictBadge {...statusMarks[status]} />
          </Fact>
          <Fact name="Where">
            {environments === null
              ? 'everywhere'
              : environments.map((environment) => <EnvironmentTag key={environment} name={environment} />)}
          </Fact>
          <Fact name="Owner">
            <PageLink to={`/people/${owner.id}`}>{owner.label}</PageLink>
          </Fact>
          <Fact name="Made">
            <Instant at={token.made_at} form="exact" /> by {token.made_by.label}
          </Fact>
          <Fact name="Ends">{token.expires_at ? <Instant at={token.expires_at} form="exact" /> : 'never'}</Fact>
          <Fact name="Last used">
            {token.last_used_at ? <Instant at={token.last_used_at} form="exact" /> : 'never'}
          </Fact>
          {token.rotated_at && (
            <Fact name="Rotated">
              <Instant at={token.rotated_at} form="exact" />
            </Fact>
          )}
          {token.previous_until && (
            <Fact name="Old one">
              works until <Instant at={token.previous_until} form="exact" />
            </Fact>
          )}
          {token.revoked_at && (
            <Fact name="Revoked">
              <Instant at={token.revoked_at} form="exact" />
            </Fact>
          )}
        </Facts>
        <section aria-label="What it may do">
          <h3>What it may do</h3>
          <ul className={classes.permissions}>
            {permissions.map((name) => (
              <li key={name}>
                <code>{name}</code>
              </li>
            ))}
          </ul>
        </section>
        {mayWrite && (
          <>
            <Rename token={token} />
            {status !== 'expired' && <RotateToken token={token} />}
            <Revoke token={token} onDone={onClose} />
          </>
        )}
      </div>
    </SideDrawer>
  )
}

function Rename({ token: { id, name } }: { readonly token: ApiToken }) {
  const client = useQueryClient()
  const [wanted, setWanted] = useState(name)
  const change = useMutation({
    mutationFn: () => api.patch<ApiToken>(pathOf(id), { name: wanted.trim() }),
    onSuccess: () => tell(`${wanted.trim()} is its name now`),
    onError: (error) => tellFailure('The token was not renamed', wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens', 'list'] }),
  })
  return (
    <form
      className={parts.inline}
      onSubmit={(event) => {
        event.preventDefault()
        change.mutate()
      }}
    >
      <TextInput
        label="Name"
        maxLength={150}
        value={wanted}
        onChange={(event) => setWanted(event.currentTarget.value)}
      />
      <Button
        type="submit"
        variant="default"
        disabled={wanted.trim() === '' || wanted.trim() === name}
        loading={change.isPending}
      >
        Rename
      </Button>
    </form>
  )
}

function Revoke({ token: { id, name }, onDone }: { readonly token: ApiToken; readonly onDone: () => void }) {
  const client = useQueryClient()
  const [isAsking, setAsking] = useState(false)
  const revoke = useMutation({
    mutationFn: () => api.post(`${pathOf(id)}/revocation`),
    onSuccess: () => {
      tell(`${name} was revoked`, 'Whatever calls with it is refused from now on.')
      onDone()
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['tokens', 'list'] }),
  })
  return (
    <div className={parts.danger}>
      <p>Revoking refuses its next call and cannot be undone.</p>
      <Button variant="default" className={classes.sharp} onClick={() => setAsking(true)}>
        Revoke the token
      </Button>
      <ConfirmDestructive
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={`Revoke ${name}`}
        name={name}
        action="Revoke the token"
        onConfirm={() => revoke.mutate()}
        isBusy={revoke.isPending}
        error={revoke.error}
      >
        <p>Whatever calls with it stops working at once, on every replica within a second.</p>
      </ConfirmDestructive>
    </div>
  )
}
