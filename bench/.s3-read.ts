import { startBenchServer } from './bench-server.ts'
const server = await startBenchServer()
const src = (await import('node:fs')).readFileSync(new URL('./replay.ts', import.meta.url),'utf8')
const rows=300000, distinct=30000
const { db, tenant } = server
const sql = /`with word as[\s\S]*?`,\n/.exec(src)![0].slice(1,-3)
const words = ['production','bench-agent','call_allowed','enforce','edk_bench',...Array.from({length:20},(_,n)=>`tool_${n}`)]
await db.query(`insert into event_words (tenant_id, word) select $1, unnest($2::text[]) on conflict do nothing`,[tenant,words])
await db.query(sql.replaceAll('\\`','`'),[tenant,rows,distinct]); await db.query('vacuum analyze events')
const sel=(cols:string,order='order by e.at, e.arrival')=>`select ${cols} from events as e where e.tenant_id='${tenant}' and e.at>= now()-interval '1 day' and e.verdict = any(array(select id from event_words where word='call_allowed')) ${order}`
const full=`e.id, date_part('epoch', e.at) * 1000, concat_ws(',', e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule), e.call_id, e.payload`
const { rows: plan } = await db.query('explain (analyze, buffers) '+sel(full)); console.log(plan.map((r:any)=>r['QUERY PLAN']).join('\n'))
for (const [name,cols,order] of [['full',full,undefined],['payload','e.payload',undefined],['payload unordered','e.payload',''],['callid+payload','e.call_id, e.payload',undefined]] as const){
  const c=await db.connect(); await c.query('begin'); const t=performance.now(); await c.query(`declare x no scroll cursor for ${sel(cols,order)}`); let n=0
  for(;;){ const r=await c.query({text:'fetch forward 5000 from x',rowMode:'array'}); if(!r.rows.length)break; n+=r.rows.length }
  const s=(performance.now()-t)/1000; console.log(name, n, Math.round(n/s),'rows/s'); await c.query('rollback'); c.release()
}
{ const { readRawEvents }=await import('../apps/server/src/features/events/index.ts'); const {openDb}=await import('../apps/server/src/kernel/db.ts')
  const url=(db as any).options.connectionString; const d=openDb({url,applicationName:'x',connectionsMax:2,onBrokenConnection:()=>{}})
  const { rows:[w] }=await db.query(`select id from event_words where word='call_allowed'`)
  const t=performance.now(); let n=0; await readRawEvents(d,{tenant,since:(Date.now()-86400000)*1000,until:(Date.now()+60000)*1000,words:{verdict:[w.id]},without:{},text:undefined,sessionId:undefined,parentSessionId:undefined} as any,(e)=>{n+=e.length}); console.log('readRawEvents',n,Math.round(n/((performance.now()-t)/1000))); await d.end() }
await server.stop()
