import { parseWorkflow, type Workflow } from '@countersign/rules'
import { sha256 } from './crypto.ts'
import { type FollowingFile, followFile } from './follow-file.ts'
import type { GuardProblem } from './guard-options.ts'
import type { WorkflowOptions } from './workflow-gates.ts'

export type FollowedWorkflow = { readonly name: string; readonly hash: string; readonly workflow: Workflow }

const bytesMax = 1_048_576

/**
 * The workflow in a file, and every good edit of it. Rejects with `GuardFailed` when there is none at the start: an agent
 * must not run without the gates it was given. Where sessions stand is kept under the workflow's name, so an edit of the
 * name would send all of them back to the first stage unseen, and is refused.
 */
export function followWorkflow(
  { file, exec }: WorkflowOptions,
  onProblem: (problem: GuardProblem) => void,
): Promise<FollowingFile<FollowedWorkflow>> {
  return followFile<FollowedWorkflow>({
    file,
    bytesMax,
    words: { unusable: 'The workflow cannot be enforced', kind: 'workflow_refused' },
    onProblem,
    load: (bytes, enforced) => {
      if (bytes.byteLength > bytesMax) throw new Error(`The workflow is larger than ${bytesMax} bytes.`)
      const workflow = read(bytes, exec !== undefined)
      if (enforced && enforced.name !== workflow.name) {
        throw new Error(
          `The workflow is called ${workflow.name} now. Keep the name ${enforced.name}, or make a new guard for another.`,
        )
      }
      return { name: workflow.name, hash: sha256(bytes), workflow }
    },
  })
}

function read(bytes: Uint8Array, allowsExec: boolean): Workflow {
  const parsed = parseWorkflow(bytes, { allowsExec })
  if (parsed.ok) return parsed.workflow
  const first = parsed.diagnostics.find(({ severity }) => severity === 'error')
  throw new Error(
    first ? `The workflow does not load: line ${first.line}: ${first.message}` : 'The workflow has errors.',
  )
}
