import { environmentName, identifier, Type, yamlCharactersMax } from '@countersign/wire'
import type { FastifyReply } from 'fastify'
import { type Agent, type Principal, type Route, route } from '../../features/roles/index.ts'
import { type CurrentRollout, chooseRendering, type ReadCurrentRollout } from '../../features/rollouts/index.ts'
import {
  findRevision,
  findRevisionWithTexts,
  type LiveRow,
  listLatestRevisions,
  listLive,
  listRevisions,
  ownHash,
  type Revision,
  type RulesetDialect,
  type UploadRuleset,
} from '../../features/rulesets/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, Problem, problems } from '../../kernel/problem.ts'
import { fetchedRuleset } from './fetched-ruleset.ts'

export type Fetch = {
  readonly agent: Agent
  readonly prefix: '/v1' | '/api/v1'
  readonly rollout: CurrentRollout
  readonly rendering: RulesetDialect
  /** Whether the agent named the ruleset, and was not only served what is meant for it. */
  readonly isNamed: boolean
}

type Needs = {
  readonly db: Sql
  readonly upload: UploadRuleset
  readonly currentRollout: ReadCurrentRollout
  /** The dialect an agent was seen to speak, from memory. */
  readonly seenDialect: (
    tenant: string,
    environment: string,
    agentId: string,
  ) => RulesetDialect | undefined | Promise<RulesetDialect | undefined>
  /** What the server has this agent follow, when it names nothing itself. */
  readonly assignedTo: (agent: Agent) => Promise<string | null>
  /** Must not wait: it is told of thousands a second. */
  readonly noteFetch: (fetch: Fetch) => void
}

const names = Type.Object({ name: identifier })
const versions = Type.Object({ name: identifier, version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }) })
const environmentQuery = Type.Object({ env: Type.Optional(environmentName) })
const listedMax = 10_000

export function rulesetRoutes(needs: Needs): readonly Route[] {
  const { db, upload, currentRollout } = needs

  const answerFetch = async (
    agent: Agent,
    asked: string | undefined,
    path: string | undefined,
    reply: FastifyReply,
  ) => {
    const prefix = prefixOf(path)
    const name = asked ?? (await needs.assignedTo(agent)) ?? 'default'
    const rollout = await currentRollout(agent.tenant, agent.environment, name)
    if (!rollout) throw notLive(name, agent.environment)
    const rendering = await renderingFor(needs, agent, prefix)
    needs.noteFetch({ agent, prefix, rollout, rendering, isNamed: asked !== undefined })
    void reply.type('application/json; charset=utf-8').send(fetchedRuleset(rollout, rendering, agent.signingKeyId))
  }

  return [
    route({
      does: 'Fetch the ruleset the server assigned to this agent',
      method: 'GET',
      path: '/rulesets/current',
      needs: 'agent-key',
      answersItself: true,
      handle: async ({ who, request, reply }) => {
        await answerFetch(who, undefined, request.mounted?.path, reply)
      },
    }),
    route({
      does: 'Fetch what is live under a name',
      method: 'GET',
      path: '/rulesets/:name/current',
      needs: 'agent-key or rulesets:read',
      params: names,
      query: environmentQuery,
      answersItself: true,
      handle: async ({ who, params: { name }, query: { env }, request, reply }) => {
        if (who.is === 'agent') {
          refuseOtherEnvironment(who, env)
          await answerFetch(who, name, request.mounted?.path, reply)
          return
        }
        if (env === undefined) throw invalidInput('query.env', 'Field required')
        const rollout = await currentRollout(who.tenant, env, name)
        if (!rollout) throw notLive(name, env)
        const rendering = chooseRendering({
          keyRendering: 'auto',
          prefix: prefixOf(request.mounted?.path),
          seenDialect: undefined,
        })
        void reply.type('application/json; charset=utf-8').send(fetchedRuleset(rollout, rendering, null))
      },
    }),
    route({
      does: 'List rulesets; with an agent key those live in its environment',
      method: 'GET',
      path: '/rulesets',
      needs: 'agent-key or rulesets:read',
      handle: async ({ who }) => {
        const live = await listLive(db, who.tenant)
        if (who.is !== 'agent') {
          return (await listLatestRevisions(db, who.tenant)).map((one) => summaryOf(one, one.revisionCount, live))
        }
        const own = live.filter(({ environment }) => environment === who.environment)
        const revisions = await Promise.all(own.map((one) => findRevision(db, who.tenant, one.ruleset, one.version)))
        return revisions.flatMap((one) => (one ? [summaryOf(one, 1, own)] : []))
      },
    }),
    route({
      does: 'Upload a ruleset as the next version of its name',
      method: 'POST',
      path: '/rulesets',
      needs: 'rulesets:write',
      status: 201,
      bodyBytesMax: 5 * 1_048_576,
      body: Type.Object({ yaml_content: Type.String({ maxLength: yamlCharactersMax }) }),
      handle: async ({ who, body, facts }) => {
        const made = await upload(who, { yaml: body.yaml_content, field: 'yaml_content' }, facts)
        const revision = await findRevision(db, who.tenant, made.ruleset, made.version)
        return revision && bundleOf(who.tenant, revision, ownHash(revision), undefined)
      },
    }),
    route({
      does: 'List the versions of a ruleset, newest first',
      method: 'GET',
      path: '/rulesets/:name',
      needs: 'rulesets:read',
      params: names,
      handle: async ({ who, params: { name } }) => {
        const revisions = await listRevisions(db, who.tenant, name, undefined, listedMax)
        if (revisions.length === 0) throw notKnown(name)
        return Promise.all(
          revisions.map(async (one) => ({
            ...(await bundleOfLive(needs, who.tenant, one)),
            deployed_envs: one.liveIn,
          })),
        )
      },
    }),
    route({
      does: 'Show a version; with an agent key only what is live in its environment',
      method: 'GET',
      path: '/rulesets/:name/:version',
      needs: 'agent-key or rulesets:read',
      params: versions,
      handle: async ({ who, params: { name, version }, request }) => {
        const live = await liveOnly(needs, who, name, version)
        const revision = await findRevision(db, who.tenant, name, version)
        if (!revision) throw notKnown(name, version)
        if (who.is !== 'agent' || !live) return bundleOfLive(needs, who.tenant, revision)
        const rendering = await renderingFor(needs, who, prefixOf(request.mounted?.path))
        const signed = live.renderings[rendering].signatures.get(who.signingKeyId ?? live.fallbackSigningKeyId ?? '')
        return bundleOf(who.tenant, revision, revision.hashes[rendering], signed?.signature)
      },
    }),
    route({
      does: 'Download the text of a version',
      method: 'GET',
      path: '/rulesets/:name/:version/yaml',
      needs: 'agent-key or rulesets:read',
      params: versions,
      answersItself: true,
      handle: async ({ who, params: { name, version }, request, reply }) => {
        await liveOnly(needs, who, name, version)
        const revision = await findRevisionWithTexts(db, who.tenant, name, version)
        if (!revision) throw notKnown(name, version)
        const rendering =
          who.is === 'agent' ? await renderingFor(needs, who, prefixOf(request.mounted?.path)) : revision.dialect
        void reply.type('application/x-yaml').send(Buffer.from(revision.texts[rendering]))
      },
    }),
  ]
}

function prefixOf(url: string | undefined): '/v1' | '/api/v1' {
  return url?.startsWith('/v1/') ? '/v1' : '/api/v1'
}

async function renderingFor(
  { seenDialect }: Pick<Needs, 'seenDialect'>,
  agent: Agent,
  prefix: '/v1' | '/api/v1',
): Promise<RulesetDialect> {
  const seen = asksForSeen(agent, prefix)
    ? await seenDialect(agent.tenant, agent.environment, agent.agentId ?? '')
    : undefined
  return chooseRendering({ keyRendering: agent.rendering, prefix, seenDialect: seen })
}

/** What an agent was seen to speak is asked only where it decides something. */
export function asksForSeen(agent: Agent, prefix: '/v1' | '/api/v1'): boolean {
  return agent.rendering === 'auto' && prefix === '/api/v1' && agent.agentId !== undefined
}

function refuseOtherEnvironment(agent: Agent, env: string | undefined): void {
  if (env === undefined || env === agent.environment) return
  throw new Problem(problems.forbidden, `API key is for environment '${agent.environment}', not '${env}'.`)
}

/** An agent key sees no version but the one that is live where it belongs; any other does not exist. */
async function liveOnly(
  { currentRollout }: Pick<Needs, 'currentRollout'>,
  who: Principal,
  name: string,
  version: number,
): Promise<CurrentRollout | undefined> {
  if (who.is !== 'agent') return undefined
  const live = await currentRollout(who.tenant, who.environment, name)
  if (live?.version !== version) throw notKnown(name, version)
  return live
}

function notLive(name: string, environment: string): Problem {
  return new Problem(problems.notFound, `No deployed version of bundle '${name}' in '${environment}'.`)
}

function notKnown(name: string, version?: number): Problem {
  const what = version === undefined ? `Bundle '${name}' not found.` : `Bundle '${name}' version ${version} not found.`
  return new Problem(problems.notFound, what)
}

async function bundleOfLive({ currentRollout }: Pick<Needs, 'currentRollout'>, tenant: string, revision: Revision) {
  const [environment] = revision.liveIn
  const live = environment === undefined ? undefined : await currentRollout(tenant, environment, revision.ruleset)
  const signed = live?.renderings[revision.dialect].signatures.get(live.fallbackSigningKeyId ?? '')
  const isSame = live?.revisionId === revision.id
  return bundleOf(tenant, revision, ownHash(revision), isSame ? signed?.signature : undefined)
}

function bundleOf(tenant: string, revision: Revision, hash: string, signature: string | undefined) {
  return {
    id: revision.id,
    tenant_id: tenant,
    name: revision.ruleset,
    bundle_name: revision.ruleset,
    version: revision.version,
    revision_hash: hash,
    signature_hex: signature === undefined ? null : Buffer.from(signature, 'base64').toString('hex'),
    source_hub_slug: null,
    source_hub_revision: null,
    uploaded_by: revision.uploadedByEmail ?? revision.uploadedBy,
    created_at: revision.uploadedAt.toISOString(),
  }
}

function summaryOf(revision: Revision, versionCount: number, live: readonly LiveRow[]) {
  const own = live.filter(({ ruleset }) => ruleset === revision.ruleset)
  const times = own.map(({ rolledOutAt }) => rolledOutAt.toISOString()).toSorted()
  return {
    name: revision.ruleset,
    latest_version: revision.version,
    version_count: versionCount,
    last_updated: revision.uploadedAt.toISOString(),
    deployed_envs: own.map(({ environment }) => environment),
    contract_count: revision.ruleCount,
    last_deployed_at: times.at(-1) ?? null,
  }
}
