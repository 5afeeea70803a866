import { Menu, SegmentedControl, UnstyledButton, useMantineColorScheme } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { api } from '../api/client.ts'
import { wordsFor } from '../api/problem.ts'
import { queryClient } from '../api/query-client.ts'
import { sessionKey, useSession } from '../api/session.ts'
import { DisplayIcon, KeyboardIcon, LockIcon, MoonIcon, SignOutIcon, SunIcon } from '../ui/icons.tsx'
import { tellFailure } from '../ui/tell.tsx'
import classes from './frame.module.css'

export function PersonMenu({ onHelp }: { readonly onHelp: () => void }) {
  const { person, tenant } = useSession()
  const navigate = useNavigate()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const signOut = useMutation({
    mutationFn: () => api.delete('/session'),
    onSuccess: async () => {
      // Before the walk: the sign-in page sends whoever is signed in back, and the stream may tell of the end only later.
      await queryClient.cancelQueries({ queryKey: sessionKey })
      queryClient.setQueryData(sessionKey, null)
      await navigate({ to: '/sign-in', search: {} })
      queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] })
    },
    onError: (error) => tellFailure('You are still signed in', wordsFor(error)),
  })
  const initials = initialsOf(person.name || person.email)
  return (
    <Menu width={260} closeOnItemClick>
      <Menu.Target>
        <UnstyledButton className={classes.person} aria-label={`${initials}: account of ${person.email}`}>
          {initials}
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={classes.who}>
          <strong>{person.name || person.email}</strong>
          {person.name && <span>{person.email}</span>}
          <span>
            {person.role} · {tenant.name}
          </span>
        </div>
        <Menu.Divider />
        <div className={classes.scheme}>
          <SegmentedControl
            fullWidth
            aria-label="Color scheme"
            value={colorScheme}
            onChange={(value) => setColorScheme(value === 'light' || value === 'dark' ? value : 'auto')}
            data={[
              { value: 'light', label: <SchemeWord icon={<SunIcon size={14} />} word="Light" /> },
              { value: 'dark', label: <SchemeWord icon={<MoonIcon size={14} />} word="Dark" /> },
              { value: 'auto', label: <SchemeWord icon={<DisplayIcon size={14} />} word="System" /> },
            ]}
          />
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<LockIcon size={14} />} onClick={() => void navigate({ to: '/account' })}>
          Account & security
        </Menu.Item>
        <Menu.Item leftSection={<KeyboardIcon size={14} />} onClick={onHelp}>
          Keyboard
        </Menu.Item>
        <Menu.Item
          leftSection={<SignOutIcon size={14} />}
          onClick={() => signOut.mutate()}
          disabled={signOut.isPending}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function SchemeWord({ icon, word }: { readonly icon: ReactNode; readonly word: string }) {
  return (
    <span className={classes.schemeWord}>
      {icon}
      {word}
    </span>
  )
}

function initialsOf(name: string): string {
  const [first = '', second = ''] = name.split(/[\s.@_-]+/).filter((part) => part !== '')
  return `${first.slice(0, 1)}${second.slice(0, 1)}`.toUpperCase()
}
