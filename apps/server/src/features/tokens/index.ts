export { authenticateToken, type TokenReader } from './authenticate-token.ts'
