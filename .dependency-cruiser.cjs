// The layers of the house. `npm run check:layers` runs this and also proves that nothing was overlooked.

const test = String.raw`\.test\.tsx?$|^apps/server/test/|^apps/[^/]+/test/|^packages/[^/]+/test/`
const server = '^apps/server/src'

/** Whoever is in `from` may not reach `to`. Tests may reach everything: they set the scene from outside. */
function forbid(name, comment, from, to) {
  return { name, comment, severity: 'error', from: { pathNot: test, ...from }, to }
}

module.exports = {
  forbidden: [
    forbid(
      'no-cycles',
      'Two files that need each other are one file, or three.',
      { pathNot: undefined },
      // A route loads its page when it is opened, and the page reads its route: no cycle when either is started.
      { circular: true, viaOnly: { dependencyTypesNot: ['dynamic-import'] } },
    ),
    forbid(
      'resolves',
      'What cannot be found here cannot be started elsewhere.',
      { pathNot: undefined },
      { couldNotResolve: true },
    ),
    forbid(
      'kernel-at-the-bottom',
      'The kernel knows no nouns.',
      { path: `${server}/kernel/` },
      { path: `${server}/(?!kernel/)` },
    ),
    forbid(
      'features-know-no-surface',
      'Compatibility is a dialect spoken at the edge.',
      { path: `${server}/features/` },
      { path: `${server}/(?!kernel/|features/)` },
    ),
    forbid(
      'surfaces-below-compose',
      'Surfaces are composed; they do not compose.',
      { path: `${server}/surfaces/` },
      { path: `${server}/(?!kernel/|features/|surfaces/|boot/config\\.ts)` },
    ),
    forbid(
      'surfaces-apart',
      'One dialect never leans on another, so that each can be deleted.',
      { path: `${server}/surfaces/([^/]+)/` },
      { path: `${server}/surfaces/[^/]+/`, pathNot: `${server}/surfaces/$1/` },
    ),
    forbid(
      'boot-below-main',
      'Reading the configuration and starting the database happen before anything is composed.',
      { path: `${server}/boot/` },
      { path: `${server}/(?!kernel/|features/|boot/|surfaces/console/)` },
    ),
    forbid('nobody-imports-main', 'main.ts starts; it is not a library.', {}, { path: `${server}/main\\.ts$` }),
    forbid(
      'features-through-index',
      'What a feature keeps to itself it may change.',
      { path: `${server}/features/([^/]+)/` },
      {
        path: `${server}/features/[^/]+/`,
        pathNot: [`${server}/features/[^/]+/index\\.ts$`, `${server}/features/$1/`],
      },
    ),
    forbid(
      'features-through-index-from-elsewhere',
      'What a feature keeps to itself it may change.',
      { pathNot: `${test}|${server}/features/` },
      { path: `${server}/features/[^/]+/.+`, pathNot: `${server}/features/[^/]+/index\\.ts$` },
    ),
    forbid(
      'packages-through-index',
      'A package is what its index exports. A bench may measure what is inside.',
      { path: '^(?:apps|tools)/' },
      { path: '^packages/[^/]+/src/', pathNot: '^packages/(?:[^/]+/src/index|trail/src/browser)\\.ts$' },
    ),
    forbid(
      'packages-through-each-others-index',
      'A package is what its index exports.',
      { path: '^packages/([^/]+)/' },
      { path: '^packages/[^/]+/src/', pathNot: ['^packages/[^/]+/src/index\\.ts$', '^packages/$1/'] },
    ),
    forbid(
      'packages-use-no-app',
      'Packages run in an agent, a browser, an auditor’s shell.',
      { path: '^packages/' },
      { path: '^(?:apps|tools|bench)/' },
    ),
    forbid(
      'apps-use-no-tool',
      'Tools pretend; what is served must not.',
      { path: '^apps/[^/]+/src/' },
      { path: '^(?:tools|bench)/' },
    ),
    forbid(
      'console-is-a-client',
      'The console knows the server by its wire.',
      { path: '^apps/console/' },
      { path: '^apps/(?!console/)' },
    ),
    forbid(
      'server-stands-alone',
      'The server is one deployable.',
      { path: '^apps/server/' },
      { path: '^apps/(?!server/)' },
    ),
    forbid(
      'no-test-code-in-the-product',
      'Tests are not shipped.',
      { path: '^(?:apps|packages)/[^/]+/src/' },
      { path: test },
    ),
    forbid(
      'pure-packages',
      'No files, network or processes: these run wherever they are needed and answer the same everywhere.',
      { path: '^packages/(?:rules|pipeline|rehearsal|trail|wire)/src/' },
      { dependencyTypes: ['core'], pathNot: '^(?:node:)?(?:crypto|buffer|util)$' },
    ),
    forbid(
      'crypto-in-one-place',
      'Every use of cryptography has a label and a test vector, in kernel/crypto.ts, packages/trail or the agent’s own.',
      {
        path: '^(?:apps|packages)/',
        pathNot: `${test}|^apps/server/src/kernel/crypto\\.ts$|^packages/trail/|^packages/agent/src/crypto\\.ts$`,
      },
      { path: '^(?:node:)?crypto$' },
    ),
    forbid(
      'schemas-by-our-own-builder',
      'TypeBox is read for its types alone: its code is hundreds of modules at every start.',
      { path: '^(?:apps|packages)/' },
      { path: 'typebox(?:$|/build/index)', dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'pipeline-needs-nothing',
      'The road has no dependencies.',
      { path: '^packages/pipeline/src/' },
      { pathNot: '^packages/pipeline/src/' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
  },
}
