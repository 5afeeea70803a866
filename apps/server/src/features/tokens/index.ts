export { authenticateToken } from './authenticate-token.ts'
export { type ManageTokens, manageTokens } from './manage-tokens.ts'
export { choicesFor, tokenRoutes } from './routes.ts'
export { findToken, listTokens, type TokenRow } from './tokens-table.ts'
