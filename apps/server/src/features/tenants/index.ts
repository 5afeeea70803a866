export { passwordsTaken } from './passwords-taken.ts'
export {
  countPeople,
  findOldestTenant,
  findTenantName,
  insertTenant,
  listTenants,
  type TenantSize,
} from './tenants-table.ts'
