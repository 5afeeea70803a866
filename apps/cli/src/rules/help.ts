export const checkHelp = `
What is checked
  Everything the server checks on upload: YAML, every field and its type, patterns, limits, and that the document can be
  handed to agents in both dialects. A parent named by "extends" is looked for beside the file, as NAME.yaml.

Exit code
  0 all files are fine (warnings allowed) · 1 something is wrong (every place is told) · 2 a file cannot be read

Examples
  countersign rules check rulesets/*.yaml
  countersign rules check payments.yaml --json             for a program: one JSON object
  countersign rules check rulesets/*.yaml --format github  annotations beside the lines of a pull request`

export const testHelp = `
A file of cases
  ruleset: payments.yaml            seen from this file
  cases:
    - name: nobody reads .env files
      call: {tool: read_file, args: {path: /srv/.env}}
      expect: block                 allow, block or hold
      rule: no-env                  the rule that decides (optional)
      message: ".env"               part of what the agent is told (optional)
    - name: a refund above 200 needs a human
      call:
        tool: issue_refund
        args: {amount_cents: 25000}
        environment: production
        principal: {user_id: ada, role: support}
        session: {attempts: 3, executions: 2, per_tool: {issue_refund: 1}}
      expect: hold
    - name: after the approval it runs
      call: {tool: issue_refund, args: {amount_cents: 25000}, approved: [large-refund]}
      expect: allow
    - name: card numbers are noticed
      call: {tool: lookup, args: {}, output: "4111 1111 1111 1111"}
      expect: allow
      fired: [card-numbers]         post rules that fired (optional); likewise observed: [...]

Exit code
  0 every case passed · 1 a case failed, or a file is wrong · 2 a file cannot be read

Examples
  countersign rules test tests/*.cases.yaml
  countersign rules test tests/*.cases.yaml --format github`

export const evalHelp = `
What is said
  The verdict, the rule that decided, and for every rule whether it fired and why. Nothing is carried out or counted.

Exit code
  0 allowed · 1 blocked · 3 held for a human · 2 it could not be tried

Examples
  countersign rules eval payments.yaml --tool issue_refund --args '{"amount_cents": 25000}'
  countersign rules eval payments.yaml --call call.json --json
  echo '{"tool": "read_file", "args": {"path": ".env"}}' | countersign rules eval payments.yaml --call -`

export const diffHelp = `
What is compared
  What the two documents mean for an agent: rules by id, their fields, modes, order, tools. Comments, layout and the
  dialect do not count.

Exit code
  0 they mean the same · 1 they differ · 2 one of them cannot be read

Example
  countersign rules diff payments.yaml payments.new.yaml --json`

export const replayHelp = `
What is replayed
  An export of recorded events (JSON Lines, from the console's Events page). Each call is asked again of the ruleset; equal
  calls are asked once. Compared with what was recorded, or with --baseline. A call whose condition reads a value that was
  redacted or cut before it was stored is undecided, never guessed. Nothing leaves this machine.

Exit code
  0 replayed · 1 with --fail-on, such a change was found · 2 it could not be replayed

Examples
  countersign rules replay payments.new.yaml --events events.jsonl
  countersign rules replay payments.new.yaml --events events.jsonl --baseline payments.yaml
  countersign rules replay payments.new.yaml --events events.jsonl --fail-on blocked,held`
