import type { Command } from 'commander'

/** A command as a shell completes it. */
export type Verb = {
  /** The words before it and its own: empty for the program. */
  readonly path: readonly string[]
  readonly does: string
  readonly options: readonly { readonly flag: string; readonly does: string; readonly takesValue: boolean }[]
  /** Values its first argument can have, when it says which. */
  readonly choices: readonly string[]
  readonly verbs: readonly string[]
}

/** Every command of a program, read from the table that parses them: nothing can be completed that is not there. */
export function verbsOf(command: Command, path: readonly string[] = []): readonly Verb[] {
  const own: Verb = {
    path,
    does: command.description(),
    options: [...command.options.map(optionOf), { flag: '--help', does: 'say how to use it', takesValue: false }],
    choices: command.registeredArguments[0]?.argChoices ?? [],
    verbs: command.commands.map((one) => one.name()),
  }
  return [own, ...command.commands.flatMap((one) => verbsOf(one, [...path, one.name()]))]
}

function optionOf({ long, short, flags, description, required, optional }: Command['options'][number]) {
  return { flag: long ?? short ?? flags, does: description, takesValue: required || optional }
}
