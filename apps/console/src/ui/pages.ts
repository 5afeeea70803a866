import { useCallback } from 'react'

type Pages<Item> = {
  readonly data: { readonly pages: readonly { readonly items: readonly Item[] }[] } | undefined
  readonly hasNextPage: boolean
  readonly isFetchingNextPage: boolean
  readonly fetchNextPage: () => unknown
}

/** The rows of all pages read so far, and what a table calls when its end comes near. */
export function usePages<Item>({ data, hasNextPage, isFetchingNextPage, fetchNextPage }: Pages<Item>) {
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  return { rows: data?.pages.flatMap(({ items }) => items) ?? [], onEnd }
}
