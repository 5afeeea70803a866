import { Tabs } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import { CopyButton } from '../copy-button.tsx'
import classes from './snippet.module.css'
import { type Language, languages, type SnippetFacts, snippetFor } from './snippets.ts'

/** The same first call in every kit. The chosen language is remembered. */
export function Snippet(facts: SnippetFacts) {
  const [language, setLanguage] = useLocalStorage<Language>({
    key: 'countersign-snippet-language',
    defaultValue: 'python',
    getInitialValueInEffect: false,
  })
  const choose = (value: string | null): void => {
    const known = languages.find(({ id }) => id === value)
    if (known) setLanguage(known.id)
  }
  return (
    <Tabs value={language} onChange={choose} keepMounted={false} className={classes.snippet}>
      <Tabs.List aria-label="Language">
        {languages.map(({ id, word }) => (
          <Tabs.Tab key={id} value={id}>
            {word}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {languages.map(({ id, word }) => {
        const { install, code } = snippetFor(id, facts)
        return (
          <Tabs.Panel key={id} value={id}>
            {install && (
              <div className={classes.install}>
                <code>{install}</code>
                <CopyButton text={install} what="the install command" />
              </div>
            )}
            <div className={classes.code}>
              <pre tabIndex={0} role="region" aria-label={`${word} example`}>
                {code}
              </pre>
              <div className={classes.copy}>
                <CopyButton text={code} what="the example" withWord />
              </div>
            </div>
          </Tabs.Panel>
        )
      })}
    </Tabs>
  )
}
