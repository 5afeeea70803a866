export { includeBaselines } from './include-baselines.ts'
export { previewWithBaselines, rollOutWithBaselines } from './roll-out-with-baselines.ts'
export { baselineRoutes } from './routes.ts'
export { environmentBaselines } from './set-baselines.ts'
