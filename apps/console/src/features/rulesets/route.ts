import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readListSearch, readRulesetSearch } from './search.ts'

export const rulesetsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/rulesets',
  validateSearch: onlyRead(readListSearch),
  component: lazyPage(() => import('./rulesets-page.tsx'), 'RulesetsPage'),
})

export const rulesetRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/rulesets/$name',
  validateSearch: onlyRead(readRulesetSearch),
  component: lazyPage(() => import('./ruleset-page.tsx'), 'RulesetPage'),
})
