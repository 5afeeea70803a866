import { makeProgram } from '../../apps/cli/src/program.ts'

type Command = Pick<ReturnType<typeof makeProgram>, 'name' | 'description' | 'options' | 'registeredArguments'> & {
  readonly commands: readonly Command[]
}

/** Every command and option of the command line, from the table that parses them. */
export function cliPage(printed: string): string {
  const nothing = (): void => undefined
  const program = makeProgram({ env: {}, print: nothing, complain: nothing, exitWith: nothing, fail: nothing })
  return `${printed}
# Commands

What each does in full, its exit codes and examples: \`countersign COMMAND --help\`. How to begin: [the command line](../cli.md).
${sectionsOf(program).join('')}`
}

function sectionsOf(command: Command, before: readonly string[] = []): readonly string[] {
  const path = [...before, command.name()]
  const words = command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`))
  const options = command.options.map(
    ({ flags, description }) => `| \`${flags.replaceAll('|', '\\|')}\` | ${description} |`,
  )
  const table = options.length === 0 ? '' : `\n| Option | What it does |\n| --- | --- |\n${options.join('\n')}\n`
  const own =
    before.length === 0
      ? []
      : [`\n## ${path.join(' ')}\n\n\`${[...path, ...words].join(' ')}\`: ${command.description()}\n${table}`]
  return [...own, ...command.commands.flatMap((one) => sectionsOf(one, path))]
}
