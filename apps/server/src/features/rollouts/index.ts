export { guardRollout } from './guard-rollout.ts'
export {
  type CurrentRollouts,
  type ForgetRollout,
  keepCurrentRollouts,
  type ReadCurrentRollout,
} from './keep-current-rollouts.ts'
export { noteProgress, type RolloutProgress } from './note-progress.ts'
export { previewRollout } from './preview-rollout.ts'
export { readRollout } from './read-rollout.ts'
export { type Order, type RolledOut, type RollOut, rollOut } from './roll-out.ts'
export {
  type CurrentRollout,
  chooseRendering,
  isOfRollout,
  type Rendering,
  type Signed,
  signatureFor,
} from './rollout.ts'
export { findRollout, listRollouts, type RolloutFilter, type RolloutRow } from './rollouts-table.ts'
export { rolloutRoutes } from './routes.ts'
export { signCurrentRollouts } from './sign-rollout.ts'
