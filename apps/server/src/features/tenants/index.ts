export { countPeople, insertTenant, listTenants } from './tenants-table.ts'
