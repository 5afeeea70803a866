import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readListSearch, readRulesetSearch } from './search.ts'

export const rulesetsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/rulesets',
  validateSearch: readListSearch,
  component: lazyRouteComponent(() => import('./rulesets-page.tsx'), 'RulesetsPage'),
})

export const rulesetRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/rulesets/$name',
  validateSearch: readRulesetSearch,
  component: lazyRouteComponent(() => import('./ruleset-page.tsx'), 'RulesetPage'),
})
