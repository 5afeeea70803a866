export { sweepLimits, type TakeFromLimit, takeFromLimit } from './take-from-limit.ts'
