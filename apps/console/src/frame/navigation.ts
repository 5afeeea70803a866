import type { ComponentType } from 'react'
import type { Permission } from '../api/types.ts'
import {
  AnchorIcon,
  ApprovalsIcon,
  AssignmentsIcon,
  CoverageIcon,
  EventsIcon,
  FleetIcon,
  JobsIcon,
  KeysIcon,
  LibraryIcon,
  OverviewIcon,
  PeopleIcon,
  RehearseIcon,
  RolesIcon,
  RulesetsIcon,
  SettingsIcon,
  TokensIcon,
  TrailIcon,
} from '../ui/icons.tsx'

export type Destination = {
  readonly to: string
  readonly word: string
  readonly needs: Permission
  readonly icon: ComponentType<{ readonly size?: number }>
  /** Pressed after `g`. */
  readonly key: string
}

export type Group = { readonly word: string; readonly destinations: readonly Destination[] }

/** An entry is added when its page is real; a person sees those they may use. */
export const navigation: readonly Group[] = [
  {
    word: 'Watch',
    destinations: [
      { to: '/', word: 'Overview', needs: 'overview:read', icon: OverviewIcon, key: 'o' },
      { to: '/approvals', word: 'Approvals', needs: 'approvals:read', icon: ApprovalsIcon, key: 'a' },
      { to: '/events', word: 'Events', needs: 'events:read', icon: EventsIcon, key: 'e' },
      { to: '/fleet', word: 'Fleet', needs: 'fleet:read', icon: FleetIcon, key: 'f' },
    ],
  },
  {
    word: 'Govern',
    destinations: [
      { to: '/rulesets', word: 'Rulesets', needs: 'rulesets:read', icon: RulesetsIcon, key: 'r' },
      { to: '/library', word: 'Library', needs: 'rulesets:read', icon: LibraryIcon, key: 'l' },
      { to: '/assignments', word: 'Assignments', needs: 'rulesets:read', icon: AssignmentsIcon, key: 'm' },
      { to: '/coverage', word: 'Coverage', needs: 'fleet:read', icon: CoverageIcon, key: 'c' },
      { to: '/rehearse', word: 'Rehearse', needs: 'rulesets:read', icon: RehearseIcon, key: 'h' },
    ],
  },
  {
    word: 'Record',
    destinations: [
      { to: '/trail', word: 'Trail', needs: 'trail:read', icon: TrailIcon, key: 't' },
      { to: '/anchors', word: 'Anchors', needs: 'trail:read', icon: AnchorIcon, key: 'w' },
    ],
  },
  {
    word: 'Admin',
    destinations: [
      { to: '/people', word: 'People', needs: 'people:read', icon: PeopleIcon, key: 'p' },
      { to: '/roles', word: 'Roles', needs: 'roles:read', icon: RolesIcon, key: 'b' },
      { to: '/tokens', word: 'API tokens', needs: 'tokens:read', icon: TokensIcon, key: 'n' },
      { to: '/keys', word: 'Keys', needs: 'keys:read', icon: KeysIcon, key: 'k' },
      { to: '/jobs', word: 'Jobs', needs: 'jobs:read', icon: JobsIcon, key: 'j' },
      { to: '/settings', word: 'Settings', needs: 'settings:read', icon: SettingsIcon, key: 's' },
    ],
  },
]

export function visibleTo(permissions: readonly string[]): readonly Group[] {
  return navigation
    .map(({ word, destinations }) => ({
      word,
      destinations: destinations.filter(({ needs }) => permissions.includes(needs)),
    }))
    .filter(({ destinations }) => destinations.length > 0)
}
