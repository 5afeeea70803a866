import { compilePattern } from '../pattern/pattern.ts'
import type { Condition } from './workflow.ts'

/** Why a condition cannot be read, in words for its author. */
export class ConditionError extends Error {}

export interface ReadCondition {
  readonly condition: Condition
  /** A backslash that SDKs read differently. */
  readonly hasOddEscape: boolean
}

const quoted = '"((?:[^"\\\\]|\\\\[\\s\\S])*)"'
const forms: readonly (readonly [RegExp, (args: readonly string[]) => Condition])[] = [
  [new RegExp(`^stage_complete\\(${quoted}\\)$`), ([stageId = '']) => ({ is: 'stage_complete', stageId })],
  [new RegExp(`^file_read\\(${quoted}\\)$`), ([path = '']) => ({ is: 'file_read', path })],
  [new RegExp(`^approval\\((?:${quoted})?\\)$`), ([stageId]) => ({ is: 'approval', stageId })],
  [
    new RegExp(`^command_matches\\(${quoted}\\)$`),
    ([source = '']) => ({ is: 'command_matches', pattern: compilePattern(source) }),
  ],
  [
    new RegExp(`^command_not_matches\\(${quoted}\\)$`),
    ([source = '']) => ({ is: 'command_not_matches', pattern: compilePattern(source) }),
  ],
  [
    /^mcp_result_matches\("([^"\\]*)",\s*"([^"\\]*)",\s*"([^"\\]*)"\)$/,
    ([tool = '', field = '', value = '']) => ({ is: 'mcp_result_matches', tool, field, value }),
  ],
  [
    new RegExp(`^exec\\(${quoted}(?:,\\s*exit_code=(\\d{1,3}))?\\)$`),
    ([command = '', exitCode]) => ({ is: 'exec', command, exitCode: Number(exitCode ?? '0') }),
  ],
]

/** Throws ConditionError, or PatternError for the pattern inside. */
export function readCondition(text: string): ReadCondition {
  for (const [form, make] of forms) {
    const found = form.exec(text)
    if (!found) continue
    const raw = found.slice(1)
    const args = raw.map((arg: string | undefined) => arg?.replace(/\\(["\\])/g, '$1'))
    if (args.some((arg) => arg !== undefined && /[\u0000-\u001F\u007F]/.test(arg))) {
      throw new ConditionError('An argument of a condition must not contain control characters.')
    }
    const hasOddEscape = raw.some(
      (arg: string | undefined) => arg !== undefined && /(?<!\\)(?:\\\\)*\\[^"\\]/.test(arg),
    )
    return { condition: make(args.map((arg) => arg as string)), hasOddEscape }
  }
  throw new ConditionError(
    'Not a condition. Known are stage_complete("ID"), file_read("PATH"), approval(), command_matches("RE"), command_not_matches("RE"), mcp_result_matches("TOOL", "FIELD", "VALUE") and exec("COMMAND").',
  )
}
