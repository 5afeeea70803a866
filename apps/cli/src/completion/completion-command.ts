import { Argument, Command } from 'commander'
import { bashScript, fishScript, zshScript } from './scripts.ts'
import { verbsOf } from './verbs.ts'

type Shell = { readonly print: (text: string) => void }

const help = `
The script knows the verbs and options of the release that printed it; print it anew after an update.

Exit code
  0 printed · 2 a shell that is not known

Examples
  countersign completion bash > ~/.local/share/bash-completion/completions/countersign
  countersign completion zsh > "\${fpath[1]}/_countersign"
  countersign completion fish > ~/.config/fish/completions/countersign.fish
  source <(countersign completion bash)   for this shell alone`

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** Prints what makes a shell complete every verb and option, from the commands themselves. */
export function completionCommand({ print }: Shell, program: () => Command): Command {
  return new Command('completion')
    .description('Print a script that makes your shell complete these commands')
    .addArgument(new Argument('<shell>').choices(Object.keys(scripts)))
    .exitOverride()
    .addHelpText('after', help)
    .action((shell: keyof typeof scripts) => {
      print(scripts[shell](verbsOf(program())))
    })
}
