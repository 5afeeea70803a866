import { Button } from '@mantine/core'
import type { TrailPage } from '../../api/types.ts'
import { Instant } from '../../ui/instant.tsx'
import { countWords } from '../../ui/numbers.ts'
import classes from './trail.module.css'

type Props = {
  readonly looked: NonNullable<TrailPage['looked']>
  readonly hasFound: boolean
  readonly isLooking: boolean
  readonly onFurther: () => void
}

/** Names and addresses are sealed one by one, so that a search opens so many entries and then asks. */
export function LookedSoFar({ looked, hasFound, isLooking, onFurther }: Props) {
  return (
    <div className={classes.looked} role="status">
      <span>
        Looked through {countWords(looked.count)} {hasFound ? 'more ' : ''}entries, what is sealed in them too, back to{' '}
        <Instant at={looked.oldest_at} />
        {hasFound ? '.' : ', and found nothing.'} Narrow the time with <code>since:</code> and <code>until:</code>, or
        look further.
      </span>
      <Button variant="default" size="compact-sm" loading={isLooking} onClick={onFurther}>
        Look further
      </Button>
    </div>
  )
}
