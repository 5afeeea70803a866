import { Button, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { api } from '../../api/client.ts'
import { fieldErrors, wordsFor } from '../../api/problem.ts'
import { Notice } from '../../ui/notice.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { GrantsEditor } from './grants-editor.tsx'
import { LinkOnce } from './link-once.tsx'
import classes from './people.module.css'
import type { Invitation, RoleGrant } from './types.ts'

/** Who they are and what they may do; then the link, once. */
export function InviteDrawer({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient()
  const [email, setEmail] = useState('')
  const [name, setName] = useState('')
  const [grants, setGrants] = useState<readonly RoleGrant[]>([{ role: 'viewer', environment: null }])
  const [made, setMade] = useState<Invitation | null>(null)
  const invite = useMutation({
    mutationFn: () =>
      api.post<Invitation>('/people', {
        email: email.trim(),
        ...(name.trim() !== '' && { name: name.trim() }),
        roles: grants,
      }),
    onSuccess: setMade,
    onSettled: () => client.invalidateQueries({ queryKey: ['people'] }),
  })
  const faults = fieldErrors(invite.error)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    invite.mutate()
  }
  return (
    <SideDrawer isOpen onClose={onClose} title={made ? 'Copy the link now' : 'Invite somebody'} width={520}>
      {made ? (
        <LinkOnce invitation={made} who={email.trim()} onDone={onClose} />
      ) : (
        <form className={classes.form} onSubmit={submit}>
          <TextInput
            label="E-mail address"
            type="email"
            placeholder="kim@example.com"
            required
            withAsterisk={false}
            maxLength={255}
            data-autofocus
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            error={faults['email']}
          />
          <TextInput
            label="Name"
            description="They can change it when they join."
            maxLength={120}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={faults['name']}
          />
          <section>
            <h3 className={classes.label}>Roles</h3>
            <GrantsEditor grants={grants} onChange={setGrants} fault={faults['roles']} />
          </section>
          {invite.isError && Object.keys(faults).length === 0 && <Notice tone="bad">{wordsFor(invite.error)}</Notice>}
          <p className={classes.quiet}>No mail is sent: the link is shown to you, and you pass it on.</p>
          <div className={classes.acts}>
            <Button type="submit" loading={invite.isPending} disabled={email.trim() === ''}>
              Make the invitation
            </Button>
          </div>
        </form>
      )}
    </SideDrawer>
  )
}
