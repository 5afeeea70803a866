export { passwordsTaken } from './passwords-taken.ts'
export { countPeople, findTenantName, insertTenant, listTenants, type TenantSize } from './tenants-table.ts'
