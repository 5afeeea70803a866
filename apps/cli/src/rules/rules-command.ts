import { readFileSync } from 'node:fs'
import { type Compiled, compile, diffRulesets, type JsonValue } from '@countersign/rules'
import { Command, InvalidArgumentError, Option } from 'commander'
import { readCall } from './call-input.ts'
import { type CheckedFile, checkFile } from './check-files.ts'
import { diffText } from './diff-text.ts'
import { asAnnotation, asText, type Finding, type Format, formats } from './findings.ts'
import { checkHelp, diffHelp, evalHelp, replayHelp, testHelp } from './help.ts'
import { type LoadedRuleset, loadRuleset } from './load-ruleset.ts'
import { replayFile } from './replay-file.ts'
import { replayText } from './replay-text.ts'
import { type TestedFile, testFile } from './test-cases.ts'
import { tryCall } from './try-call.ts'

export type RulesSurroundings = {
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  /** Tells the shell how it went, when it was not simply well. */
  readonly exitWith: (code: number) => void
}

type FormatOptions = { readonly format?: Format; readonly json?: boolean }

export function rulesCommand(surroundings: RulesSurroundings): Command {
  const rules = new Command('rules')
    .description('Rulesets in files: check them, test them, try calls, compare, replay')
    .exitOverride()
  addCheck(rules, surroundings)
  addTest(rules, surroundings)
  addEval(rules, surroundings)
  addDiff(rules, surroundings)
  addReplay(rules, surroundings)
  return rules
}

function addCheck(rules: Command, { print, exitWith }: RulesSurroundings): void {
  withFormat(rules.command('check'))
    .description('Say everything that is wrong with rulesets, and where')
    .argument('<files...>', 'rulesets in YAML, in either dialect')
    .option('--strict', 'unknown selectors are errors, not warnings')
    .addHelpText('after', checkHelp)
    .action(async (files: readonly string[], options: FormatOptions & { readonly strict?: boolean }) => {
      const checked: CheckedFile[] = []
      for (const file of files) checked.push(await checkFile(file, options.strict === true))
      const ok = checked.every((one) => one.ok)
      const format = formatOf(options)
      if (format === 'json') print(`${JSON.stringify({ ok, files: checked })}\n`)
      else {
        for (const { file, ok: isFine, name, rules: count, findings } of checked) {
          printFindings(print, format, findings)
          if (isFine && format === 'text')
            print(`${file}: ${name} is fine, ${count} ${count === 1 ? 'rule' : 'rules'}\n`)
        }
      }
      if (!ok) exitWith(1)
    })
}

function addTest(rules: Command, { print, exitWith }: RulesSurroundings): void {
  withFormat(rules.command('test'))
    .description('Run files of cases: calls and what must become of them')
    .argument('<files...>', 'files of cases in YAML')
    .addHelpText('after', testHelp)
    .action(async (files: readonly string[], options: FormatOptions) => {
      const tested: TestedFile[] = []
      for (const file of files) tested.push(await testFile(file))
      const results = tested.flatMap((one) => one.results)
      const failed = results.filter(({ passed }) => !passed).length
      const ok = failed === 0 && tested.every(({ findings }) => findings.length === 0)
      const format = formatOf(options)
      if (format === 'json') print(`${JSON.stringify({ ok, files: tested })}\n`)
      else {
        for (const one of tested) printTested(print, format, one)
        if (format === 'text') print(`${results.length - failed} passed, ${failed} failed\n`)
      }
      if (!ok) exitWith(1)
    })
}

type EvalOptions = {
  readonly tool?: string
  readonly args?: JsonValue
  readonly environment?: string
  readonly principal?: JsonValue
  readonly output?: JsonValue
  readonly call?: string
  readonly json?: boolean
}

const exitCodes = { allow: 0, block: 1, hold: 3 } as const

function addEval(rules: Command, { print, complain, exitWith }: RulesSurroundings): void {
  rules
    .command('eval')
    .exitOverride()
    .description('Try one call on a ruleset and say why')
    .argument('<file>', 'the ruleset')
    .option('--tool <name>', 'the tool that is called')
    .option('--args <json>', 'its arguments', readJson)
    .option('--environment <name>', 'production unless told')
    .option('--principal <json>', 'who asks: user_id, role, claims …', readJson)
    .option('--output <json>', 'what the tool answered, for post rules', readJson)
    .option('--call <file>', 'the whole call in a JSON file; - reads standard input')
    .option('--json', 'print one JSON object')
    .addHelpText('after', evalHelp)
    .action(async (file: string, { json, call: path, ...given }: EvalOptions) => {
      if ((path === undefined) === (given.tool === undefined)) throw new Error('Give either --tool or --call.')
      const input = readCall(path === undefined ? { ...given } : readJsonFile(path))
      if (typeof input === 'string') throw new Error(input)
      const tried = tryCall(compiledFrom(await loadRuleset(file), complain), input)
      const { verdict, decision, post, observed, explanation } = tried
      if (json) {
        const { words, rules: each } = explanation
        print(
          `${JSON.stringify({ verdict, decided_by: decision.decidedBy ?? null, observed, post: post ?? null, words, rules: each })}\n`,
        )
      } else {
        print(`${verdict}\n${explanation.words}\n`)
        for (const { id, words } of explanation.rules) print(`  ${id}: ${words}\n`)
      }
      exitWith(exitCodes[verdict])
    })
}

function addDiff(rules: Command, { print, complain, exitWith }: RulesSurroundings): void {
  rules
    .command('diff')
    .exitOverride()
    .description('Say what changes for an agent between two rulesets')
    .argument('<before>', 'a ruleset')
    .argument('<after>', 'another')
    .option('--json', 'print one JSON object')
    .addHelpText('after', diffHelp)
    .action(async (before: string, after: string, { json }: { readonly json?: boolean }) => {
      const [old, now] = [readable(await loadRuleset(before), complain), readable(await loadRuleset(after), complain)]
      const diff = diffRulesets(old, now)
      print(json ? `${JSON.stringify(diff)}\n` : diffText(diff))
      if (!diff.isSame) exitWith(1)
    })
}

type ReplayOptions = {
  readonly events: string
  readonly baseline?: string
  readonly failOn?: ReadonlySet<string>
  readonly json?: boolean
}

function addReplay(rules: Command, { print, complain, exitWith }: RulesSurroundings): void {
  rules
    .command('replay')
    .exitOverride()
    .description('Say what a ruleset would have changed for recorded calls')
    .argument('<file>', 'the ruleset')
    .requiredOption('--events <file>', 'an export of events, JSON Lines')
    .option('--baseline <file>', 'compare with this ruleset instead of what was recorded')
    .option('--fail-on <changes>', 'blocked, held, allowed or undecided, comma-separated', readChanges)
    .option('--json', 'print one JSON object')
    .addHelpText('after', replayHelp)
    .action(async (file: string, { events, baseline, failOn, json }: ReplayOptions) => {
      const draft = compiledFrom(await loadRuleset(file), complain)
      const other = baseline === undefined ? undefined : compiledFrom(await loadRuleset(baseline), complain)
      const { outcome } = await replayFile(events, draft, other)
      print(json ? `${JSON.stringify(outcome)}\n` : replayText(outcome))
      const { newlyBlocked: blocked, newlyHeld: held, newlyAllowed: allowed, undecided } = outcome.counts
      const found = Object.entries({ blocked, held, allowed, undecided }).filter(([, count]) => count > 0)
      if (found.some(([change]) => failOn?.has(change))) exitWith(1)
    })
}

function withFormat(command: Command): Command {
  return command
    .exitOverride()
    .addOption(new Option('--format <format>', 'how to tell it').choices(formats).default('text'))
    .option('--json', 'the same as --format json')
}

function formatOf({ format, json }: FormatOptions): Format {
  return json ? 'json' : (format ?? 'text')
}

function printFindings(print: (text: string) => void, format: 'text' | 'github', findings: readonly Finding[]): void {
  for (const finding of findings) print(format === 'github' ? asAnnotation(finding) : asText(finding))
}

function printTested(print: (text: string) => void, format: 'text' | 'github', tested: TestedFile): void {
  printFindings(print, format, tested.findings)
  for (const { name, line, passed, reasons } of tested.results) {
    if (format === 'text')
      print(`${passed ? 'ok' : 'FAILED'}  ${name}\n${reasons.map((one) => `    ${one}\n`).join('')}`)
    else if (!passed) {
      const place = { file: tested.file, line, column: 1, endLine: line, endColumn: 1 }
      print(asAnnotation({ ...place, severity: 'error', code: name, message: reasons.join('\n') }))
    }
  }
}

function readable(loaded: LoadedRuleset, complain: (text: string) => void) {
  if (loaded.ok) return loaded.ruleset
  const [first] = loaded.diagnostics
  if (first) complain(`${loaded.file}:${first.line}:${first.column}: ${first.message}\n`)
  throw new Error(
    `${loaded.file} is not valid; "countersign rules check ${loaded.file}" says everything that is wrong.`,
  )
}

function compiledFrom(loaded: LoadedRuleset, complain: (text: string) => void): Compiled {
  return compile(readable(loaded, complain))
}

function readJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw new InvalidArgumentError('It must be JSON.')
  }
}

function readJsonFile(path: string): JsonValue {
  const text = readFileSync(path === '-' ? 0 : path, 'utf8')
  try {
    return JSON.parse(text) as JsonValue
  } catch (cause) {
    throw new Error(`${path === '-' ? 'Standard input' : path} is not JSON.`, { cause })
  }
}

const changes = ['blocked', 'held', 'allowed', 'undecided']

function readChanges(text: string): ReadonlySet<string> {
  const given = text.split(',').map((one) => one.trim())
  if (given.some((one) => !changes.includes(one))) throw new InvalidArgumentError(`Say any of ${changes.join(', ')}.`)
  return new Set(given)
}
