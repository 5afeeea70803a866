export { authenticateToken } from './authenticate-token.ts'
export { type ManageTokens, manageTokens } from './manage-tokens.ts'
export { tokenRoutes } from './routes.ts'
