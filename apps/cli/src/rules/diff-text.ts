import type { FieldChange, JsonValue, RulesetDiff } from '@countersign/rules'

/** What changes for an agent, in lines: `+` new, `-` gone, `~` changed. */
export function diffText(diff: RulesetDiff): string {
  if (diff.isSame) return 'Nothing changes for an agent.\n'
  const lines = [
    ...diff.document.map((change) => `~ ${fieldText(change)}`),
    ...diff.tools.map(({ name, before, after }) => `${before ? (after ? '~' : '-') : '+'} tool ${name}`),
    ...diff.removed.map(({ id, type }) => `- ${type} rule ${id}`),
    ...diff.added.map(({ id, type }) => `+ ${type} rule ${id}`),
    ...diff.changed.flatMap(({ id, after, fields }) => [
      `~ ${after.type} rule ${id}`,
      ...fields.map((change) => `    ${fieldText(change)}`),
    ]),
    ...diff.modes.map(
      ({ id, before, after }) => `~ rule ${id} is ${after ?? 'default'} instead of ${before ?? 'default'}`,
    ),
    ...(diff.moved.length > 0 ? [`~ other order: ${diff.moved.join(', ')}`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function fieldText({ field, before, after }: FieldChange): string {
  return `${field}: ${shown(before)} → ${shown(after)}`
}

function shown(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
