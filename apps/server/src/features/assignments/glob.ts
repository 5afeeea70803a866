/** One place of a pattern: any character, or one of some ranges of code units, or none of them. */
type Step = { readonly is: 'any' } | { readonly is: 'star' } | Class
type Class = { readonly is: 'class'; readonly ranges: readonly (readonly [number, number])[]; readonly isNot: boolean }

/**
 * A shell-style pattern (`*`, `?`, `[a-z]`, `[!a-z]`) over a whole text, as the older console read it. Takes time in
 * proportion to pattern times text at the worst, whatever the pattern.
 */
export function compileGlob(pattern: string): (text: string) => boolean {
  const steps = readSteps(pattern)
  return (text) => {
    let at = 0
    let step = 0
    // Where the last star stood and how much it has taken: going back there is all the going back there is.
    let star = -1
    let taken = 0
    while (at < text.length) {
      const here = steps[step]
      if (here?.is === 'star') {
        star = step
        taken = at
        step += 1
      } else if (here && fits(here, text.charCodeAt(at))) {
        at += 1
        step += 1
      } else if (star >= 0) {
        taken += 1
        at = taken
        step = star + 1
      } else {
        return false
      }
    }
    while (steps[step]?.is === 'star') step += 1
    return step === steps.length
  }
}

function fits(step: Exclude<Step, { is: 'star' }>, unit: number): boolean {
  if (step.is === 'any') return true
  return step.ranges.some(([from, to]) => unit >= from && unit <= to) !== step.isNot
}

function readSteps(pattern: string): readonly Step[] {
  const steps: Step[] = []
  for (let at = 0; at < pattern.length; ) {
    const sign = pattern[at]
    if (sign === '*') {
      if (steps.at(-1)?.is !== 'star') steps.push({ is: 'star' })
      at += 1
    } else if (sign === '?') {
      steps.push({ is: 'any' })
      at += 1
    } else {
      const end = sign === '[' ? endOfClass(pattern, at) : -1
      steps.push(end > 0 ? readClass(pattern.slice(at + 1, end)) : only(pattern.charCodeAt(at)))
      at = end > 0 ? end + 1 : at + 1
    }
  }
  return steps
}

/** A bracket right behind the opening one, or behind its `!`, is a member and not the end. Unclosed is plain text. */
function endOfClass(pattern: string, start: number): number {
  let from = start + 1
  if (pattern[from] === '!') from += 1
  if (pattern[from] === ']') from += 1
  return pattern.indexOf(']', from)
}

function readClass(inside: string): Class {
  const isNot = inside.startsWith('!')
  const members = isNot ? inside.slice(1) : inside
  const ranges: (readonly [number, number])[] = []
  for (let at = 0; at < members.length; ) {
    const from = members.charCodeAt(at)
    const isRange = members[at + 1] === '-' && at + 2 < members.length
    ranges.push([from, isRange ? members.charCodeAt(at + 2) : from])
    at += isRange ? 3 : 1
  }
  return { is: 'class', ranges, isNot }
}

function only(unit: number): Class {
  return { is: 'class', ranges: [[unit, unit]], isNot: false }
}
