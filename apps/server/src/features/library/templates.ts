import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RulesetTemplate } from '@countersign/wire'

const folder = join(import.meta.dirname, 'templates')
let found: readonly RulesetTemplate[] | undefined

/** Rulesets to begin with, from the files beside this one; the first comment of each is its title. */
export function rulesetTemplates(): readonly RulesetTemplate[] {
  found ??= readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => templateOf(name, readFileSync(join(folder, name), 'utf8')))
  return found
}

function templateOf(file: string, yaml: string): RulesetTemplate {
  return {
    name: file.replace(/\.yaml$/, ''),
    title: /^# (.+)$/m.exec(yaml)?.[1] ?? file,
    description: /^ {2}description: (.+)$/m.exec(yaml)?.[1] ?? '',
    rule_count: yaml.match(/^ {2}- id: /gm)?.length ?? 0,
    yaml,
  }
}
