export {
  findRuleVersion,
  insertRule,
  listRules,
  listUses,
  listVersions,
  nextRuleVersion,
  type RuleType,
  type RuleVersion,
} from './library-table.ts'
export { type ManageRules, manageRules, refusal } from './manage-rules.ts'
export { libraryRoutes } from './routes.ts'
