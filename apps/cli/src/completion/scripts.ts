import type { Verb } from './verbs.ts'

const program = 'countersign'
const pathOf = ({ path }: Verb): string => path.join(' ')
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const wordsOf = ({ verbs, choices, options }: Verb): readonly string[] => [
  ...verbs,
  ...choices,
  ...options.map(({ flag }) => flag),
]
/** Options after which a value comes, where only files can be guessed. */
const valued = (verbs: readonly Verb[]): readonly string[] => [
  ...new Set(verbs.flatMap(({ options }) => options.filter(({ takesValue }) => takesValue).map(({ flag }) => flag))),
]

/** Finds in the words before the cursor the verb they are about; what is no verb is an argument or a value. */
const walk = (verbs: readonly Verb[]): string =>
  verbs
    .filter(({ path }) => path.length > 0)
    .map((verb) => `      ${quoted(pathOf(verb))}) path=$next ;;`)
    .join('\n')

const listOf = (verbs: readonly Verb[]): string =>
  verbs.map((verb) => `    ${quoted(pathOf(verb))}) words=${quoted(wordsOf(verb).join(' '))} ;;`).join('\n')

export function bashScript(verbs: readonly Verb[]): string {
  return `# Completes ${program} in bash. Printed by: ${program} completion bash
_${program}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' next words='' at
  for ((at = 1; at < COMP_CWORD; at++)); do
    next="\${path:+$path }\${COMP_WORDS[at]}"
    case $next in
${walk(verbs)}
    esac
  done
  case $previous in
    ${valued(verbs).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  case $path in
${listOf(verbs)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  # What is neither a verb nor an option may be a file.
  if [[ \${#COMPREPLY[@]} -eq 0 && $current != -* ]]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -F _${program} ${program}
`
}

export function zshScript(verbs: readonly Verb[]): string {
  return `#compdef ${program}
# Completes ${program} in zsh. Printed by: ${program} completion zsh
_${program}() {
  local command_path='' next at offered=''
  for ((at = 2; at < CURRENT; at++)); do
    next="\${command_path:+$command_path }\${words[at]}"
    case $next in
${walk(verbs).replaceAll('path=$next', 'command_path=$next')}
    esac
  done
  case \${words[CURRENT-1]} in
    ${valued(verbs).join('|')}) _files; return ;;
  esac
  case $command_path in
${listOf(verbs).replaceAll(') words=', ') offered=')}
  esac
  compadd -- \${(s: :)offered}
  _files
}
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`
}

export function fishScript(verbs: readonly Verb[]): string {
  const text = (words: string): string => quoted(words).replaceAll("'\\''", "\\'")
  const lines = verbs.flatMap((verb) => {
    const when = `-n ${text(`__${program}_at "${pathOf(verb)}"`)}`
    const nouns = [...verb.verbs, ...verb.choices].map((word) => {
      const does = verbs.find(({ path }) => path.join(' ') === [...verb.path, word].join(' '))?.does ?? ''
      return `complete -c ${program} ${when} -f -a ${text(word)} -d ${text(does)}`
    })
    const options = verb.options.map(({ flag, does, takesValue }) => {
      const name = flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`
      return `complete -c ${program} ${when} ${name}${takesValue ? ' -r' : ''} -d ${text(does)}`
    })
    return [...nouns, ...options]
  })
  const known = verbs.filter(({ path }) => path.length > 0).map((verb) => text(pathOf(verb)))
  return `# Completes ${program} in fish. Printed by: ${program} completion fish
function __${program}_at
  set -l known ${known.join(' ')}
  set -l path ''
  for word in (commandline -opc)[2..]
    set -l next (string trim -- "$path $word")
    if contains -- $next $known
      set path $next
    end
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`
}
