import { Button, Tabs } from '@mantine/core'
import { useSession } from '../../api/session.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { ShownOnce } from '../../ui/shown-once.tsx'
import classes from './tokens.module.css'
import type { MadeApiToken } from './types.ts'
import { snippetsOf } from './words.ts'

type Props = { readonly made: MadeApiToken; readonly onDone: () => void }

export function TokenOnce({ made: { token }, onDone }: Props) {
  const { server } = useSession()
  const snippets = snippetsOf(server.base_url, token)
  return (
    <div className={classes.form}>
      <p className={classes.lead}>
        It is shown once. The server keeps only a keyed hash; if it is lost, rotate it or make another.
      </p>
      <ShownOnce text={token} what="the token" />
      <Tabs defaultValue={snippets[0]?.name ?? ''}>
        <Tabs.List aria-label="How it is used">
          {snippets.map(({ name }) => (
            <Tabs.Tab key={name} value={name}>
              {name}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {snippets.map(({ name, text }) => (
          <Tabs.Panel key={name} value={name}>
            <section className={classes.snippet} aria-label={`${name} example`}>
              <pre tabIndex={0}>{text}</pre>
              <CopyButton text={text} what={`the ${name} example`} />
            </section>
          </Tabs.Panel>
        ))}
      </Tabs>
      <div className={classes.acts}>
        <Button onClick={onDone}>I have copied it</Button>
      </div>
    </div>
  )
}
