/** A line of text and a second signature under it. */
export function Mark({ size = 20 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="7" fill="var(--cs-accent)" />
      <g fill="none" stroke="#fff" strokeLinecap="round" strokeLinejoin="round">
        <path d="M8 11.5h10M8 16.5h6" strokeOpacity=".6" strokeWidth="2.4" />
        <path d="m12.5 21.5 3.6 3.3L24.5 14" strokeWidth="2.8" />
      </g>
    </svg>
  )
}
