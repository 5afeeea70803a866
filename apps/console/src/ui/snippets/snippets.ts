export type Language = 'python' | 'typescript' | 'go' | 'curl'

export const languages: readonly { readonly id: Language; readonly word: string }[] = [
  { id: 'python', word: 'Python' },
  { id: 'typescript', word: 'TypeScript' },
  { id: 'go', word: 'Go' },
  { id: 'curl', word: 'curl' },
]

export type SnippetFacts = {
  readonly url: string
  readonly agentKey: string
  readonly environment: string
  readonly ruleset: string
}

type Snippet = { readonly install: string | null; readonly code: string }

/** A complete program for each kit, with this server and this key in it: copied, it runs. */
export function snippetFor(language: Language, facts: SnippetFacts): Snippet {
  const { url, agentKey, environment, ruleset } = facts
  const q = JSON.stringify
  switch (language) {
    case 'python':
      return {
        install: 'pip install "edictum[server,yaml]"',
        code: `import asyncio
from edictum import Edictum

async def main():
    guard = await Edictum.from_server(
        ${q(url)},
        ${q(agentKey)},
        "my-agent",
        env=${q(environment)},
        bundle_name=${q(ruleset)},
    )
    print(await guard.run("read_file", {"path": "/etc/hosts"}, lambda path: open(path).read()))
    await asyncio.sleep(6)  # the SDK reports every five seconds
    await guard.close()

asyncio.run(main())
`,
      }
    case 'typescript':
      return {
        install: 'npm install @edictum/core @edictum/server',
        code: `import { readFile } from 'node:fs/promises'
import { createServerGuard } from '@edictum/server'

const { guard, close } = await createServerGuard({
  url: ${q(url)},
  apiKey: ${q(agentKey)},
  agentId: 'my-agent',
  environment: ${q(environment)},
  bundleName: ${q(ruleset)},
})
console.log(await guard.run('read_file', { path: '/etc/hosts' }, ({ path }) => readFile(path, 'utf8')))
await close()
`,
      }
    case 'go':
      return {
        install: 'go get github.com/edictum-ai/edictum-go',
        code: `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/edictum-ai/edictum-go/guard"
)

func main() {
	ctx := context.Background()
	g, err := guard.FromServer(${q(url)}, ${q(agentKey)}, "my-agent",
		guard.WithEnvironment(${q(environment)}),
		guard.WithBundleName(${q(ruleset)}))
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close(ctx)
	result, err := g.Run(ctx, "read_file", map[string]any{"path": "/etc/hosts"},
		func(args map[string]any) (any, error) { return os.ReadFile(args["path"].(string)) })
	fmt.Println(result, err)
}
`,
      }
    case 'curl':
      return {
        install: null,
        code: `# The ruleset this key would be served:
curl -sS ${shell(`${url}/v1/rulesets/${ruleset}/current`)} \\
  -H ${shell(`Authorization: Bearer ${agentKey}`)}

# Report one event, and see it under Events:
curl -sS ${shell(`${url}/v1/events`)} \\
  -H ${shell(`Authorization: Bearer ${agentKey}`)} \\
  -H 'X-Edictum-Agent-Id: my-agent' \\
  -H 'Content-Type: application/json' \\
  -d "{\\"events\\":[{\\"call_id\\":\\"first-$(date +%s)\\",\\"agent_id\\":\\"my-agent\\",\\"tool_name\\":\\"read_file\\",
       \\"action\\":\\"call_allowed\\",\\"mode\\":\\"enforce\\",\\"timestamp\\":\\"$(date -u +%FT%TZ)\\"}]}"
`,
      }
  }
}

/** One word for a shell, whatever is in it. */
function shell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
