import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'

/**
 * The layer check. dependency-cruiser finds what breaks a rule; this finds what dependency-cruiser did not look at, since
 * a checker that cannot read the language finds nothing and says that all is well.
 */
const folders = ['apps', 'packages', 'tools', 'bench', 'examples'].filter((folder) => existsSync(folder))

type Module = { readonly source: string; readonly dependencies: readonly { readonly resolved: string }[] }
type Violation = {
  readonly from: string
  readonly to: string
  readonly rule: { readonly name: string }
  readonly comment?: string
  readonly cycle?: readonly { readonly name: string }[]
}
type Result = { readonly modules: readonly Module[]; readonly summary: { readonly violations: readonly Violation[] } }

const files = globSync(
  folders.map((folder) => `${folder}/**/*.{ts,tsx}`),
  { exclude: ['**/node_modules/**', '**/dist/**', '**/*.d.ts'] },
)
const { modules, summary } = cruise()
const seen = new Map(modules.map((module) => [module.source, module]))

const faults = [
  ...summary.violations.map((violation) => {
    const to = violation.cycle ? violation.cycle.map(({ name }) => name).join(' → ') : violation.to
    return `${violation.rule.name}: ${violation.from} → ${to}${violation.comment ? `\n    ${violation.comment}` : ''}`
  }),
  ...files.filter((file) => !seen.has(file)).map((file) => `not looked at: ${file}`),
  ...files
    .filter((file) => importsOurs(file) && seen.get(file)?.dependencies.length === 0)
    .map((file) => `looked at without seeing its imports: ${file}`),
  ...(files.length === 0 ? ['there is nothing to check'] : []),
]

for (const fault of faults) console.error(`✗ ${fault}`)
console.log(`layers: ${files.length} files, ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1

function cruise(): Result {
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...folders]
  const { stdout, stderr, error } = spawnSync('depcruise', args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (error) throw error
  // It exits with the number of violations, which the report holds too; without a report it failed.
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser failed: ${stderr || stdout}`)
  return JSON.parse(stdout)
}

/** Imports of our own files only: in a text shown to users, such as an example, other imports may begin a line. */
function importsOurs(file: string): boolean {
  return /^(?:import|export)\b[^'"]*?\bfrom ['"]\.{1,2}\//m.test(readFileSync(file, 'utf8'))
}
