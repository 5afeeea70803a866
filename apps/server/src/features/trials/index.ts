export { trialRoutes } from './routes.ts'
export { rolloutTrials } from './run-trials.ts'
