import type { ReactNode } from 'react'

/** One shape for each state, so that colour is never the only difference. */
function mark(drawing: ReactNode) {
  return function Mark({ size = 13 }: { readonly size?: number }) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {drawing}
      </svg>
    )
  }
}

export const OkIcon = mark(<path d="m3.5 8.5 3 3 6-7" />)
export const UpdatingIcon = mark(<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3" />)
export const DriftIcon = mark(<path d="M8 2.5 14 13H2zM8 6.5v3M8 11.4h.01" />)
export const SilentIcon = mark(<path d="M3 5.5h3l-3 5h3M9 3.5h4l-4 5h4" />)
export const UnknownIcon = mark(<path d="M5.8 6a2.3 2.3 0 1 1 3.4 2c-.8.4-1.2.9-1.2 1.8M8 12.3h.01" />)
