import type { SideEffect } from '../model.ts'

const composed = ['\n', '\r', '<(', '<<', '$', '>', '|', ';', '&&', '`', '#{', '&']
const reading = [
  'ls',
  'cat',
  'head',
  'tail',
  'wc',
  'find',
  'grep',
  'rg',
  'git status',
  'git log',
  'git diff',
  'git show',
  'git branch',
  'git remote',
  'git tag',
  'echo',
  'pwd',
  'whoami',
  'date',
  'which',
  'file',
  'stat',
  'du',
  'df',
  'tree',
  'less',
  'more',
]
/** Reading programs with a flag that makes them write. */
const writing =
  /^find\b.*\s-(?:delete|exec|execdir|ok|okdir|fprint|fls)|^git (?:branch|tag|remote)\s+(?!-(?:v|vv|a|r|l)\b|--list\b|-n\b)\S/

/** A hint for post rules on what a shell command does; not a security boundary. */
export function classifyCommand(command: string): SideEffect {
  const text = command.trim()
  if (text === '') return 'read'
  if (composed.some((part) => text.includes(part))) return 'irreversible'
  const reads = reading.some((word) => text === word || text.startsWith(`${word} `))
  return reads && !writing.test(text) ? 'read' : 'irreversible'
}
