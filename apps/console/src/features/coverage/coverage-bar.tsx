import classes from './coverage.module.css'

type Tally = {
  readonly tools: number
  readonly enforced: number
  readonly observed: number
  readonly ungoverned: number
}

/** How many of its tools have a rule, drawn and in numbers. */
export function CoverageBar({ tally: { tools, enforced, observed, ungoverned } }: { readonly tally: Tally }) {
  return (
    <span className={classes.bar}>
      <span className={classes.track} aria-hidden="true">
        <span data-status="enforced" style={{ flexGrow: enforced }} />
        <span data-status="observed" style={{ flexGrow: observed }} />
        <span data-status="ungoverned" style={{ flexGrow: ungoverned }} />
      </span>
      <span className={classes.number}>
        {enforced} of {tools}
      </span>
    </span>
  )
}
