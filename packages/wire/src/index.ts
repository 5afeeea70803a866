export * from './approvals.ts'
export * from './list.ts'
export * from './permission.ts'
export * from './problem.ts'
