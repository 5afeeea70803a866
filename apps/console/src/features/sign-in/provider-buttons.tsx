import { Button, Divider } from '@mantine/core'
import { queryOptions } from '@tanstack/react-query'
import { addressOf, api } from '../../api/client.ts'
import type { SignInWays } from '../../api/types.ts'

export const waysQuery = queryOptions({
  queryKey: ['sign-in-ways'],
  queryFn: ({ signal }) => api.get<SignInWays>('/sign-in/providers', { signal }),
  staleTime: 300_000,
})

type Props = { readonly ways: SignInWays | undefined; readonly next: string | undefined }

/** A button for each identity provider; a link, since the browser itself goes there. */
export function ProviderButtons({ ways, next }: Props) {
  if (!ways || ways.providers.length === 0) return null
  return (
    <>
      {ways.providers.map(({ name, title }) => (
        <Button
          key={name}
          component="a"
          href={addressOf(`/sign-in/${name}`, { return_to: next })}
          variant="default"
          fullWidth
        >
          Sign in with {title}
        </Button>
      ))}
      {ways.password && <Divider label="or with a password" labelPosition="center" />}
    </>
  )
}
