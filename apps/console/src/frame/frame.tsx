import { Drawer } from '@mantine/core'
import { useLocalStorage, useMediaQuery } from '@mantine/hooks'
import { Outlet, useLocation, useRouter } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import { stepLeft, useMaybeSession, useSession } from '../api/session.ts'
import { colorOf } from '../ui/environments.ts'
import { useEnvironment } from './environment.ts'
import classes from './frame.module.css'
import { useLiveRefresh, useNewerConsole } from './live-refresh.ts'
import { Navigation } from './navigation-bar.tsx'
import { TitleSlot } from './page.tsx'
import { Palette } from './palette.tsx'
import { usePendingCount } from './pending-count.ts'
import { RecoveryNotices } from './recovery-notices.tsx'
import { ResetNotice } from './reset-notice.tsx'
import { SessionEnd } from './session-end.tsx'
import { useShortcuts } from './shortcuts.ts'
import { StepUpDialog } from './step-up-dialog.tsx'
import { useCountInTab } from './title-count.ts'
import { TopBar } from './top-bar.tsx'

/** Looked at now and then; nobody should load it before. */
const KeyboardHelp = lazy(() => import('./keyboard-help.tsx').then((page) => ({ default: page.KeyboardHelp })))

export function Frame() {
  const session = useSession()
  const environment = useEnvironment()
  const pathname = useLocation({ select: (location) => location.pathname })
  const isNarrow = useMediaQuery('(max-width: 767px)', undefined, { getInitialValueInEffect: false }) ?? false
  const [isFolded, setFolded] = useLocalStorage({
    key: 'countersign-navigation-folded',
    defaultValue: false,
    getInitialValueInEffect: false,
  })
  const [isDrawerOpen, setDrawerOpen] = useState(false)
  const [isPaletteOpen, setPaletteOpen] = useState(false)
  const [isHelpOpen, setHelpOpen] = useState(false)
  const [titleSlot, setTitleSlot] = useState<HTMLElement | null>(null)
  const pending = usePendingCount()

  useLeaveWhenSignedOut()
  useLiveRefresh()
  useNewerConsole()
  useCountInTab(pending)
  useShortcuts(session.permissions, { palette: () => setPaletteOpen(true), help: () => setHelpOpen(true) })
  useEffect(() => setDrawerOpen(false), [pathname])

  const chosen = session.environments.find(({ name }) => name === environment)
  return (
    <TitleSlot value={titleSlot}>
      <a href="#page" className={classes.skip}>
        Skip to the page
      </a>
      <div className={classes.frame} data-folded={isFolded || undefined}>
        {!isNarrow && (
          <Navigation isFolded={isFolded} pending={pending} onFold={() => setFolded(!isFolded)} session={session} />
        )}
        {isNarrow && (
          <Drawer
            opened={isDrawerOpen}
            onClose={() => setDrawerOpen(false)}
            size={264}
            padding={0}
            withCloseButton={false}
            title="Navigation"
            classNames={{ header: 'cs-hidden' }}
          >
            <Navigation isFolded={false} pending={pending} session={session} />
          </Drawer>
        )}
        <div className={classes.main}>
          {chosen?.is_protected && (
            <div className={classes.protectedLine} style={{ background: colorOf(chosen.color) }} />
          )}
          <TopBar
            titleRef={setTitleSlot}
            onMenu={isNarrow ? () => setDrawerOpen(true) : undefined}
            onPalette={() => setPaletteOpen(true)}
            onHelp={() => setHelpOpen(true)}
          />
          <main id="page" className={classes.body} tabIndex={-1}>
            <ResetNotice />
            <RecoveryNotices />
            <Suspense fallback={null}>
              <Outlet />
            </Suspense>
          </main>
        </div>
      </div>
      <StepUpDialog />
      <SessionEnd idleSeconds={session.idle_seconds} />
      {isHelpOpen && (
        <Suspense fallback={null}>
          <KeyboardHelp onClose={() => setHelpOpen(false)} />
        </Suspense>
      )}
      <Palette isOpen={isPaletteOpen} onClose={() => setPaletteOpen(false)} />
    </TitleSlot>
  )
}

/** When a session ends, here or elsewhere, the page is left for the sign-in page, which leads back. */
function useLeaveWhenSignedOut(): void {
  const session = useMaybeSession()
  const isSignedIn = session !== null
  const left = session === null ? null : stepLeft(session)
  const router = useRouter()
  useEffect(() => {
    // Read once, not followed: the frame stays until the next page is loaded, while the address is already that page's.
    const { href, pathname } = router.latestLocation
    // Signing out goes there by itself.
    if (!isSignedIn && pathname === '/sign-in') return
    if (!isSignedIn) void router.navigate({ to: '/sign-in', search: { next: href, ended: true }, replace: true })
    else if (left === 'prove') void router.navigate({ to: '/sign-in', search: { next: href }, replace: true })
    else if (left === 'enroll') void router.navigate({ to: '/enroll', search: { next: href }, replace: true })
  }, [isSignedIn, left, router])
}
