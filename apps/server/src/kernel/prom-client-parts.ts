import { createRequire } from 'node:module'
import type * as PromClient from 'prom-client'

/**
 * The parts of prom-client that are used, each from its own file: its index also reads OpenTelemetry for figures of the
 * process that are not printed here, which takes longer than all the rest of it.
 */
const require = createRequire(import.meta.url)

export const Counter = require('prom-client/lib/counter.js') as typeof PromClient.Counter
export const Gauge = require('prom-client/lib/gauge.js') as typeof PromClient.Gauge
export const Histogram = require('prom-client/lib/histogram.js') as typeof PromClient.Histogram
export const Registry = require('prom-client/lib/registry.js') as typeof PromClient.Registry
