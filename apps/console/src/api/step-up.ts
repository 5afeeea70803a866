/** The code of a problem that a fresh proof would remove. */
export const stepUpCode = 'mfa_step_up_required'

type Ask = () => Promise<boolean>

let ask: Ask | undefined
let asked: Promise<boolean> | undefined

/** Whoever can ask the person for a proof says so here; the page's frame does. Answers how to take it back. */
export function answerStepUps(one: Ask): () => void {
  ask = one
  return () => {
    if (ask === one) ask = undefined
  }
}

/** Asks once, however many acts wait for it; false when the person declined. */
export function stepUp(): Promise<boolean> {
  if (!ask) return Promise.resolve(false)
  asked ??= ask().finally(() => {
    asked = undefined
  })
  return asked
}
