import type { ReactNode } from 'react'

/** Drawn on a 16-pixel grid with one stroke; an icon is never the only word, so all are hidden from readers. */
function icon(drawing: ReactNode) {
  return function Icon({ size = 16, className }: { readonly size?: number; readonly className?: string }) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
        className={className}
      >
        {drawing}
      </svg>
    )
  }
}

export const OverviewIcon = icon(<path d="M2.5 3.5h4v4h-4zM9.5 3.5h4M9.5 7.5h4M2.5 11h11M2.5 13.5h7" />)
export const ApprovalsIcon = icon(
  <>
    <path d="M13.5 7.5v-3a1 1 0 0 0-1-1h-9a1 1 0 0 0-1 1v7a1 1 0 0 0 1 1h4" />
    <path d="m9.5 12 1.7 1.7 3.3-3.7M5 6.5h5.5M5 9.5h2.5" />
  </>,
)
export const EventsIcon = icon(<path d="M2.5 4h1M6 4h7.5M2.5 8h1M6 8h7.5M2.5 12h1M6 12h5" />)
export const FleetIcon = icon(
  <>
    <rect x="2.5" y="2.5" width="11" height="4" rx="1" />
    <rect x="2.5" y="9.5" width="11" height="4" rx="1" />
    <path d="M5 4.5h.01M5 11.5h.01M8 4.5h3M8 11.5h3" />
  </>,
)
export const RulesetsIcon = icon(
  <path d="M4 2.5h5.5L12.5 5.5v7a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1zM9.3 2.7v3h3M5.5 8.5h4.5M5.5 11h3" />,
)
export const AssignmentsIcon = icon(
  <>
    <path d="M5.5 4h3a2 2 0 0 1 2 2v4M5.5 8h5" />
    <circle cx="3.8" cy="4" r="1.5" />
    <circle cx="3.8" cy="8" r="1.5" />
    <path d="m8.5 10.5 2 2 2-2" />
  </>,
)
export const LibraryIcon = icon(<path d="M3 2.5v11M6.5 2.5v11M9.6 3l3.4 10.3" />)
export const CoverageIcon = icon(
  <path d="M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 11.2l1.6 1.6 3-3.4" />,
)
export const RehearseIcon = icon(<path d="M5 3v10l8-5zM2.5 3v10" />)
export const TrailIcon = icon(
  <path d="M6.3 5.2 4.9 6.6a2.4 2.4 0 0 0 3.4 3.4l1-1M9.7 10.8l1.4-1.4a2.4 2.4 0 0 0-3.4-3.4l-1 1M2.5 2.5v11M13.5 2.5v11" />,
)
export const AnchorIcon = icon(
  <path d="M8 5v8.5M5.5 7h5M3 9.5c.4 2.4 2.2 4 5 4s4.6-1.6 5-4M8 5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z" />,
)
export const KeysIcon = icon(
  <>
    <circle cx="5" cy="10.5" r="2.5" />
    <path d="m6.8 8.7 6-6M10.2 5.3l2 2M12 3.5l1.3 1.3" />
  </>,
)
export const JobsIcon = icon(<path d="M3 4.5h7M3 8h10M3 11.5h5M12.5 2.5v4M10.5 4.5h4M11 10.5v3l2.5-1.5z" />)
export const PeopleIcon = icon(
  <>
    <circle cx="6" cy="5.5" r="2.5" />
    <path d="M1.5 13.5c.3-2.6 2-4 4.5-4s4.2 1.4 4.5 4M10.5 3.2a2.5 2.5 0 0 1 0 4.6M12 9.8c1.5.6 2.3 1.9 2.5 3.7" />
  </>,
)
export const RolesIcon = icon(<path d="M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11M6 3.5v9M9.8 3.5v9" />)
export const TokensIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M8 5.2 10.8 8 8 10.8 5.2 8z" />
  </>,
)
export const KeyboardIcon = icon(
  <>
    <rect x="1.5" y="4" width="13" height="8.5" rx="1" />
    <path d="M4 6.5h.01M6.7 6.5h.01M9.3 6.5h.01M12 6.5h.01M5 10h6" />
  </>,
)
export const SettingsIcon = icon(
  <>
    <path d="M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6" />
    <circle cx="10" cy="4.5" r="1.5" />
    <circle cx="6" cy="11.5" r="1.5" />
  </>,
)
export const PersonIcon = icon(
  <>
    <circle cx="8" cy="5.2" r="2.5" />
    <path d="M3 13.5c.6-2.6 2.5-4 5-4s4.4 1.4 5 4" />
  </>,
)
export const AgentIcon = icon(
  <>
    <rect x="3" y="5.5" width="10" height="7.5" rx="2" />
    <path d="M8 5.5V3M6 9v.8M10 9v.8" />
    <circle cx="8" cy="2.5" r=".6" />
  </>,
)
export const SystemIcon = icon(
  <>
    <rect x="4" y="4" width="8" height="8" rx="1.5" />
    <path d="M6.5 1.8V4M9.5 1.8V4M6.5 12v2.2M9.5 12v2.2M1.8 6.5H4M1.8 9.5H4M12 6.5h2.2M12 9.5h2.2" />
  </>,
)
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4" />
    <path d="m10 10 3.5 3.5" />
  </>,
)
export const CopyIcon = icon(
  <>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
    <path d="M10.5 3V2.9c0-.6-.4-1-1-1H3.5c-.6 0-1 .4-1 1v6.2c0 .6.4 1 1 1h.2" />
  </>,
)
export const CheckIcon = icon(<path d="m3 8.5 3.3 3.3L13 4.8" />)
export const CrossIcon = icon(<path d="m4 4 8 8M12 4l-8 8" />)
export const PlusIcon = icon(<path d="M8 3v10M3 8h10" />)
export const ChevronRightIcon = icon(<path d="m6 3.5 4.5 4.5L6 12.5" />)
export const ChevronDownIcon = icon(<path d="M3.5 6 8 10.5 12.5 6" />)
export const MenuIcon = icon(<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />)
export const CollapseIcon = icon(
  <>
    <rect x="2.5" y="3" width="11" height="10" rx="1.5" />
    <path d="M6.5 3v10" />
  </>,
)
export const ClockIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M8 5v3.2l2 1.3" />
  </>,
)
export const HoldIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M6.5 6v4M9.5 6v4" />
  </>,
)
export const BlockIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="m4.2 4.2 7.6 7.6" />
  </>,
)
export const AllowIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="m5.5 8.3 1.8 1.7 3.2-3.7" />
  </>,
)
export const ObserveIcon = icon(
  <>
    <path d="M1.8 8S4 4 8 4s6.2 4 6.2 4S12 12 8 12 1.8 8 1.8 8z" />
    <circle cx="8" cy="8" r="1.6" />
  </>,
)
export const FailIcon = icon(<path d="M8 2.5 14 13H2zM8 6.5v3M8 11.3v.1" />)
export const UnknownIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M6.5 6.5C6.5 5.6 7.1 5 8 5s1.5.6 1.5 1.4c0 1.1-1.5 1.2-1.5 2.3M8 10.8v.1" />
  </>,
)
export const ShieldIcon = icon(<path d="M8 2 3 4v3.6c0 3 2 5.3 5 6.4 3-1.1 5-3.4 5-6.4V4z" />)
export const LockIcon = icon(
  <>
    <rect x="3.5" y="7" width="9" height="6.5" rx="1.5" />
    <path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2" />
  </>,
)
export const FilterIcon = icon(<path d="M2.5 4h11M4.5 8h7M6.5 12h3" />)
export const ColumnsIcon = icon(
  <>
    <rect x="2.5" y="3" width="11" height="10" rx="1.5" />
    <path d="M6.2 3v10M9.8 3v10" />
  </>,
)
export const SortUpIcon = icon(<path d="M8 12.5v-9M4.5 7 8 3.5 11.5 7" />)
export const SortDownIcon = icon(<path d="M8 3.5v9M4.5 9 8 12.5 11.5 9" />)
export const WrapIcon = icon(<path d="M2.5 4h11M2.5 8h9a2 2 0 0 1 0 4.5H8M9.5 11 8 12.5 9.5 14M2.5 12.5h3" />)
export const SunIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.7" />
    <path d="M8 1.8v1.4M8 12.8v1.4M1.8 8h1.4M12.8 8h1.4M3.6 3.6l1 1M11.4 11.4l1 1M12.4 3.6l-1 1M4.6 11.4l-1 1" />
  </>,
)
export const MoonIcon = icon(<path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z" />)
export const DisplayIcon = icon(
  <>
    <rect x="2" y="3" width="12" height="8" rx="1.5" />
    <path d="M5.5 13.5h5M8 11v2.5" />
  </>,
)
export const SignOutIcon = icon(<path d="M9.5 3h-6v10h6M7 8h6.5M11 5.5 13.5 8 11 10.5" />)
export const GlobeIcon = icon(
  <>
    <circle cx="8" cy="8" r="5.5" />
    <path d="M2.5 8h11M8 2.5c2 1.8 2.6 3.6 2.6 5.5S10 11.7 8 13.5C6 11.7 5.4 9.9 5.4 8S6 4.3 8 2.5z" />
  </>,
)
export const DownloadIcon = icon(<path d="M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10" />)
