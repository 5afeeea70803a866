import { type Diagnostic, type Rule, type Ruleset, type RulesetDiff, ruleMode } from '@countersign/rules'
import type { RulesetDiagnostic, RulesetOutline, SemanticDiff } from '@countersign/wire'

export function outlineOf(ruleset: Ruleset): RulesetOutline {
  return {
    name: ruleset.name,
    description: ruleset.description ?? null,
    default_mode: ruleset.defaultMode,
    extends: ruleset.extends ?? null,
    tools: ruleset.tools.map(({ name, sideEffect, idempotent, line, endLine }) => ({
      name,
      side_effect: sideEffect,
      idempotent,
      line,
      end_line: endLine,
    })),
    rules: ruleset.rules.map((rule) => ({
      id: rule.id,
      type: rule.type,
      action: actionOf(rule),
      mode: ruleMode(rule, ruleset),
      is_enabled: rule.enabled,
      tools: toolsOf(rule),
      message: messageOf(rule),
      line: rule.line,
      end_line: rule.endLine,
    })),
  }
}

export function diagnosticOnWire({ endLine, endColumn, endOffset, ...rest }: Diagnostic): RulesetDiagnostic {
  return { ...rest, end_line: endLine, end_column: endColumn, end_offset: endOffset }
}

export function diffOnWire(diff: RulesetDiff, before: Ruleset, after: Ruleset): SemanticDiff {
  const named = (rule: Rule, ruleset: Ruleset) => ({
    id: rule.id,
    type: rule.type,
    action: actionOf(rule),
    mode: ruleMode(rule, ruleset),
    message: messageOf(rule),
    line: rule.line,
  })
  return {
    is_same: diff.isSame,
    document: diff.document.map((change) => ({ ...change })),
    added: diff.added.map((rule) => named(rule, after)),
    removed: diff.removed.map((rule) => named(rule, before)),
    changed: diff.changed.map((rule) => ({
      id: rule.id,
      type: rule.after.type,
      before_line: rule.before.line,
      after_line: rule.after.line,
      fields: rule.fields.map((change) => ({ ...change })),
    })),
    modes: diff.modes.map(({ id, before: was, after: is }) => ({
      id,
      before: was ?? before.defaultMode,
      after: is ?? after.defaultMode,
    })),
    moved: [...diff.moved],
    tools: diff.tools.map((tool) => ({ ...tool })),
  }
}

function actionOf(rule: Rule) {
  return rule.type === 'sandbox' ? rule.outside : rule.then.action
}

function messageOf(rule: Rule): string {
  return rule.type === 'sandbox' ? rule.message : rule.then.message
}

function toolsOf(rule: Rule): string[] {
  switch (rule.type) {
    case 'pre':
    case 'post':
      return rule.tool === '*' ? [] : [rule.tool]
    case 'sandbox':
      return [...rule.tools]
    case 'session':
      return rule.limits.maxCallsPerTool.map(({ tool }) => tool)
  }
}
