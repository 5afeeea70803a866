export { type CliSignIns, cliSignIns } from './cli-sign-in.ts'
export { sweepCliSignIns } from './cli-sign-ins-table.ts'
export { cliSignInRoutes } from './routes.ts'
