/** Small, valid, and with one rule of each kind that people ask for first: never, and not alone. */
export const starter = `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: my-ruleset
  description: What these agents may do, and what they must ask for.
defaults:
  mode: enforce
rules:
  - id: no-secrets
    type: pre
    tool: read_file
    when:
      args.path: { contains: .env }
    then:
      action: block
      message: Files with secrets are not for agents.

  - id: ask-before-deleting
    type: pre
    tool: delete_file
    when:
      args.path: { exists: true }
    then:
      action: ask
      message: Deleting needs a person's countersignature.
      timeout: 300
      timeout_action: block
`
