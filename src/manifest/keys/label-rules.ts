/** What a label of the `rack.*` family takes, and what holds without it. The reader and the documentation use this table. */
export interface LabelRule {
  verdict: 'honoured' | 'ignored' | 'refused'
  why: string
  kind: 'seconds' | 'count' | 'percent' | 'port' | 'path' | 'boolean' | 'protocol' | 'command' | 'text'
  min?: number
  max?: number
  /** In the unit of `kind`; a text says how it is found. */
  default?: number | string
  /** Where a label with the prefix `convox.` differs. */
  convox?: { min?: number; max?: number; default?: number | string }
  /** Values that ask for nothing, so that a refused label is harmless with them. */
  unless?: string[]
}

const later = 'not supported by this version'

/** By the name after `rack.` or `convox.`; a segment `*` is any name. */
export const labelRules: Record<string, LabelRule> = {
  'health.path': {
    verdict: 'honoured',
    why: 'an HTTP path that must answer 2xx or 3xx',
    kind: 'path',
    default: 'a TCP connect',
  },
  'health.port': {
    verdict: 'honoured',
    why: 'the container port that is probed',
    kind: 'port',
    min: 1,
    max: 65_535,
    default: 'the first declared port',
  },
  'health.interval': {
    verdict: 'honoured',
    why: 'seconds between two probes',
    kind: 'seconds',
    min: 0.1,
    max: 300,
    default: '5, or the timeout + 2 when that is more',
    convox: { min: 5, max: 300, default: 'the timeout + 2' },
  },
  'health.timeout': {
    verdict: 'honoured',
    why: 'seconds for one probe',
    kind: 'seconds',
    min: 0.1,
    max: 60,
    default: 3,
    convox: { min: 0, max: 60, default: 3 },
  },
  'health.grace': {
    verdict: 'honoured',
    why: 'seconds in which a starting copy may fail its probes',
    kind: 'seconds',
    min: 0,
    max: 3600,
    default: 0,
  },
  'health.threshold.healthy': {
    verdict: 'honoured',
    why: 'probes in a row that make a copy healthy',
    kind: 'count',
    min: 1,
    max: 10,
    default: 1,
    convox: { min: 2, max: 10, default: 2 },
  },
  'health.threshold.unhealthy': {
    verdict: 'honoured',
    why: 'failures in a row that make a copy unhealthy',
    kind: 'count',
    min: 1,
    max: 10,
    default: 3,
    convox: { min: 2, max: 10, default: 2 },
  },
  'draining.timeout': {
    verdict: 'honoured',
    why: 'seconds that open requests get before SIGTERM',
    kind: 'seconds',
    min: 0,
    max: 3600,
    default: 60,
    convox: { min: 1, max: 3600, default: 60 },
  },
  'deployment.minimum': {
    verdict: 'honoured',
    why: 'percent of the count that serve throughout an update',
    kind: 'percent',
    min: 0,
    max: 100,
    default: 100,
    convox: { default: 50 },
  },
  'deployment.maximum': {
    verdict: 'honoured',
    why: 'percent of the count that may run during an update',
    kind: 'percent',
    min: 100,
    max: 400,
    default: 200,
  },
  'port.*.protocol': {
    verdict: 'honoured',
    why: 'what an external port speaks: http or tcp',
    kind: 'protocol',
    default: '80 is http, 443 is https, anything else tcp',
  },
  'port.*.proxy': {
    verdict: 'refused',
    why: `the PROXY protocol is ${later}`,
    kind: 'boolean',
    unless: ['false'],
  },
  'port.*.secure': {
    verdict: 'refused',
    why: `TLS to the process is ${later}`,
    kind: 'boolean',
    unless: ['false'],
  },
  'release.command': {
    verdict: 'honoured',
    why: 'runs once in a shell of the new release, before traffic moves',
    kind: 'command',
    default: 'none',
  },
  'cron.*': { verdict: 'refused', why: `timers are ${later}`, kind: 'text' },
  'cron.*.timezone': { verdict: 'refused', why: `timers are ${later}`, kind: 'text' },
  agent: { verdict: 'refused', why: `agents are ${later}`, kind: 'boolean', unless: ['false'] },
  daemon: { verdict: 'refused', why: `agents are ${later}`, kind: 'boolean', unless: ['false'] },
  sticky: { verdict: 'refused', why: `sticky sessions are ${later}`, kind: 'text', unless: ['false'] },
  'idle.timeout': { verdict: 'refused', why: `an idle timeout is ${later}`, kind: 'seconds' },
  allow: { verdict: 'refused', why: `allowed source addresses are ${later}`, kind: 'text' },
  auth: { verdict: 'refused', why: `basic authentication is ${later}`, kind: 'text' },
  balancer: {
    verdict: 'refused',
    why: 'the router serves every external port',
    kind: 'text',
    unless: ['true'],
  },
  'balancer.name': { verdict: 'ignored', why: 'there is one router', kind: 'text' },
  'environment.secure': {
    verdict: 'ignored',
    why: 'the environment is always encrypted at rest',
    kind: 'boolean',
  },
  'start.shift': { verdict: 'ignored', why: 'it is for local development', kind: 'count' },
}

/** The rule of a label's name, `*` segments included, or undefined. */
export function labelRuleOf(name: string): LabelRule | undefined {
  if (Object.hasOwn(labelRules, name)) return labelRules[name]
  const parts = name.split('.')
  const [first = '', second = '', ...rest] = parts
  if ((first !== 'port' && first !== 'cron') || second === '') return undefined
  const pattern = [first, '*', ...rest].join('.')
  return Object.hasOwn(labelRules, pattern) ? labelRules[pattern] : undefined
}
