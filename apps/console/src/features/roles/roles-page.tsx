import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { AbsentNote } from '../../ui/absent-note.tsx'
import { PlusIcon, ShieldIcon } from '../../ui/icons.tsx'
import { Listing } from '../../ui/listing.tsx'
import { counted } from '../../ui/numbers.ts'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import ui from '../../ui/ui.module.css'
import whole from '../../ui/whole.module.css'
import { rolesQuery } from './queries.ts'
import { RoleDrawer } from './role-drawer.tsx'
import { RoleForm } from './role-form.tsx'
import { RoleMatrix } from './role-matrix.tsx'
import classes from './roles.module.css'
import { rolesRoute } from './route.ts'
import type { RolesSearch } from './search.ts'

/** Who may do what, as one table: permissions down, roles across. */
export function RolesPage() {
  const search = rolesRoute.useSearch()
  const navigate = useNavigate()
  const mayWrite = useCan('roles:write')
  const list = useQuery(rolesQuery)
  const go = (change: RolesSearch): void => {
    void navigate({ to: '/roles', search: ({ environment }) => ({ environment, ...change }) })
  }
  const opened = list.data?.items.find(({ name }) => name === search.open)
  return (
    <Page
      title="Roles"
      width="full"
      aside={list.data && <span className={ui.faint}>{counted(list.data.items.length, 'role')}</span>}
    >
      <div className={whole.whole}>
        <div className={whole.bar}>
          <p className={ui.quiet}>
            A role is given to people everywhere or in one environment. Press its name for more.
          </p>
          <span className={classes.legend}>
            <ShieldIcon size={12} /> not in protected environments
          </span>
          <span className={whole.grow} />
          {mayWrite && (
            <Button leftSection={<PlusIcon size={14} />} onClick={() => go({ new: true })}>
              Make a role
            </Button>
          )}
        </div>
        <AbsentNote what="role" id={search.open} isThere={list.data && opened !== undefined} onClear={() => go({})} />
        <Listing list={list} hasRows={list.data !== undefined} what="The roles" empty={null}>
          {list.data && <RoleMatrix list={list.data} onOpen={(open) => go({ open })} />}
        </Listing>
        {list.data && opened && <RoleDrawer key={opened.name} role={opened} list={list.data} onClose={() => go({})} />}
        {list.data && (search.new ?? false) && mayWrite && (
          <SideDrawer isOpen onClose={() => go({})} title="Make a role" width={600}>
            <RoleForm list={list.data} onDone={(open) => go({ open })} />
          </SideDrawer>
        )}
      </div>
    </Page>
  )
}
