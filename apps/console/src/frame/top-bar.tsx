import { UnstyledButton } from '@mantine/core'
import { MenuIcon, SearchIcon } from '../ui/icons.tsx'
import { EnvironmentSwitch } from './environment-switch.tsx'
import classes from './frame.module.css'
import { LiveDot } from './live-dot.tsx'
import { PersonMenu } from './person-menu.tsx'

type Props = {
  readonly titleRef: (element: HTMLElement | null) => void
  readonly onMenu?: () => void
  readonly onPalette: () => void
  readonly onHelp: () => void
}

const isMac = /mac|iphone|ipad/i.test(navigator.userAgent)

export function TopBar({ titleRef, onMenu, onPalette, onHelp }: Props) {
  return (
    <header className={classes.top}>
      {onMenu && (
        <UnstyledButton className={classes.iconButton} onClick={onMenu} aria-label="Open the navigation">
          <MenuIcon />
        </UnstyledButton>
      )}
      <div ref={titleRef} className={classes.titleSlot} />
      <div className={classes.tools}>
        <UnstyledButton className={classes.search} onClick={onPalette} aria-haspopup="dialog">
          <SearchIcon size={14} />
          <span className={classes.searchWord}>Search or go to</span>
          <kbd className={classes.kbd}>{isMac ? '⌘K' : 'Ctrl K'}</kbd>
        </UnstyledButton>
        <EnvironmentSwitch />
        <LiveDot />
        <PersonMenu onHelp={onHelp} />
      </div>
    </header>
  )
}
