import tseslint from 'typescript-eslint'

// Named one by one: each has cost somebody a day, and none is about taste. Formatting is Biome's business.
const everywhere = {
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-non-null-assertion': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/prefer-promise-reject-errors': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-unnecessary-type-assertion': 'error',
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
  '@typescript-eslint/return-await': ['error', 'in-try-catch'],
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'no-restricted-syntax': [
    'error',
    { selector: 'ExportDefaultDeclaration', message: 'Export by name, so that one thing has one name.' },
    { selector: 'TSEnumDeclaration', message: 'Write a union of strings; Node cannot strip an enum.' },
  ],
}

/** Time, chance and output come from the kernel, so that tests can move the clock and logs can keep secrets. */
const servedOnly = {
  'no-console': 'error',
  'no-restricted-syntax': [
    ...everywhere['no-restricted-syntax'],
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
      message: 'Take the time from clock.now(): it is the database’s, and tests move it.',
    },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'process', property: 'env', message: 'Settings are read in main.ts, from the table in variables.ts.' },
    {
      object: 'Date',
      property: 'now',
      message: 'Take the time from clock.now(): it is the database’s, and tests move it.',
    },
    { object: 'Math', property: 'random', message: 'Take ids from kernel/ids and secrets from kernel/crypto.' },
  ],
}

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', 'data/**', 'packages/rules/conformance/**'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: everywhere,
  },
  {
    files: ['apps/server/src/**/*.ts', 'packages/*/src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: servedOnly,
  },
  {
    // The clock is where time comes from; a log line is stamped by the machine that wrote it.
    files: ['apps/server/src/kernel/clock.ts', 'apps/server/src/kernel/log.ts', 'packages/agent/src/host.ts'],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    // Where a process begins, and where an agent's process lends the guard its time and environment.
    files: ['apps/server/src/main.ts', 'packages/agent/src/host.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // Their code runs partly in a page, so they have a TypeScript configuration of their own.
    files: ['**/*.browser.test.ts'],
    languageOptions: { parserOptions: { projectService: false, project: ['tsconfig.browser.json'] } },
  },
  {
    // A tool's configuration is what its default export is.
    files: ['*.config.ts', 'apps/*/*.config.ts', 'apps/server/test/global-setup.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
)
