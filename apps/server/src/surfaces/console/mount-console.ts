import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../../boot/config.ts'
import { type Dialect, tellErrors } from '../../features/roles/index.ts'
import { randomToken } from '../../kernel/crypto.ts'
import type { Log } from '../../kernel/log.ts'
import { builtConsole } from './built-console.ts'

type Needs = {
  readonly baseUrl: string
  /** What a session's pages send back in `X-CSRF-Token` on the surface that wants it; nothing without a session. */
  readonly csrf: { readonly of: (cookies: string | undefined) => string | undefined }
  readonly log: Log
}

const noncePlace = /__CSP_NONCE__/g

/** The web console: one page, whatever the path, and its hashed assets. Old addresses lead to the same thing here. */
export function mountConsole(app: FastifyInstance, { baseUrl, csrf, log }: Needs): void {
  const folder = fileURLToPath(builtConsole)
  void app.register(fastifyStatic, {
    root: `${folder}assets`,
    prefix: '/assets/',
    decorateReply: false,
    immutable: true,
    maxAge: '1y',
    wildcard: true,
  })

  let kept: { readonly text: string; readonly changedAt: number } | undefined
  // Read again when it was rebuilt: an old page would name assets that are gone.
  const readPage = async (): Promise<string | undefined> => {
    const file = `${folder}index.html`
    const found = await stat(file).catch(() => undefined)
    if (!found) return undefined
    if (kept?.changedAt !== found.mtimeMs) kept = { text: await readFile(file, 'utf8'), changedAt: found.mtimeMs }
    return kept.text
  }

  const page = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const text = await readPage()
    if (text === undefined) {
      return reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send('The console has not been built. Run: npm run build -w @countersign/console\n')
    }
    const nonce = randomToken(16)
    reply.header('content-security-policy', policy(nonce))
    reply.header('cache-control', 'no-store')
    const token = csrf.of(request.headers.cookie)
    // Letters of base64 alone: nothing to escape. Scripts of older clients read it from there.
    const meta = token === undefined ? '' : `<meta name="rgw-csrf-token" content="${token}">`
    return reply
      .type('text/html; charset=utf-8')
      .send(text.replace(noncePlace, nonce).replace('</head>', `${meta}</head>`))
  }

  tellErrors(app, plain, log)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url
    if (isOfPrograms(path) || (request.method !== 'GET' && request.method !== 'HEAD')) {
      return reply.code(404).send({ detail: 'Not Found' })
    }
    const moved = movedTo(path)
    if (moved !== undefined) return reply.redirect(moved, 302)
    const base = new URL(baseUrl)
    // Passkeys refuse addresses, so a link opened on one is sent to the name.
    if (isLoopback(request.hostname) && base.hostname === 'localhost' && request.hostname !== 'localhost') {
      return reply.redirect(`${base.origin}${path}`, 302)
    }
    return page(request, reply)
  })
}

/** Who opens a page is a person, and reads a sentence. */
const plain: Pick<Dialect, 'render'> = {
  render: ({ kind, detail }, { url }, reply) => {
    void reply.code(kind.status)
    return isOfPrograms(url) ? reply.send({ detail }) : reply.type('text/plain; charset=utf-8').send(`${detail}\n`)
  },
}

function isOfPrograms(path: string): boolean {
  return /^\/(api|v1|assets)(\/|$|\?)/.test(path)
}

/** Pages that moved as a whole. */
const places: Readonly<Record<string, string>> = {
  'auth/mfa/challenge': '/cli',
  'cli/auth/success': '/account',
  'account/security': '/account',
}

/** `/dashboard/events?x=1` → `/events?x=1`; likewise below `/app`. Never to another site. */
function movedTo(path: string): string | undefined {
  const found = /^\/(?:dashboard|app)(?:\/+(?<rest>[^?]*))?(?<query>\?.*)?$/.exec(path)
  if (!found) return undefined
  const rest = (found.groups?.['rest'] ?? '').replace(/^[/\\]+/, '')
  const whole = places[rest.replace(/\/+$/, '')]
  if (whole !== undefined) return `${whole}${found.groups?.['query'] ?? ''}`
  const names: Readonly<Record<string, string>> = {
    contracts: 'rulesets',
    bundles: 'rulesets',
    agents: 'fleet',
    'api-keys': 'keys',
    login: 'sign-in',

    audit: 'trail',
  }
  const [first = '', ...others] = rest.split('/')
  return `/${[names[first] ?? first, ...others].join('/')}${found.groups?.['query'] ?? ''}`
}

function policy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "font-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
