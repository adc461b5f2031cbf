/** What a label of the `rack.*` family takes, and what holds without it. The reader and the documentation use this table. */
export interface LabelRule {
  verdict: 'honoured' | 'ignored' | 'refused'
  why: string
  kind: LabelKind
  /** A value that the label takes. */
  example: string
  min?: number
  max?: number
  /** In the unit of `kind`; a text says how it is found. */
  default?: number | string
  /** Where a label with the prefix `convox.` differs. */
  convox?: { min?: number; max?: number; default?: number | string }
  /** Values that ask for nothing, so that a refused label is harmless with them. */
  unless?: string[]
}

export type LabelKind =
  | 'seconds'
  | 'count'
  | 'percent'
  | 'port'
  | 'path'
  | 'boolean'
  | 'protocol'
  | 'command'
  | 'timer'
  | 'timezone'
  | 'sticky'
  | 'addresses'
  | 'accounts'
  | 'text'

const later = 'not run by this version'

/** By the name after `rack.` or `convox.`; a segment `*` is any name. */
export const labelRules: Record<string, LabelRule> = {
  'health.path': {
    verdict: 'honoured',
    why: 'an HTTP path that must answer 2xx or 3xx',
    kind: 'path',
    example: '/health',
    default: 'a TCP connect',
  },
  'health.port': {
    verdict: 'honoured',
    why: 'the container port that is probed',
    kind: 'port',
    example: '5000',
    min: 1,
    max: 65_535,
    default: 'the first declared port',
  },
  'health.interval': {
    verdict: 'honoured',
    why: 'seconds between two probes; no less than the timeout',
    kind: 'seconds',
    example: '5',
    min: 0.1,
    max: 300,
    default: '5, or the timeout + 2 when that is more',
    convox: { min: 5, max: 300, default: 'the timeout + 2' },
  },
  'health.timeout': {
    verdict: 'honoured',
    why: 'seconds for one probe',
    kind: 'seconds',
    example: '3',
    min: 0.1,
    max: 60,
    default: 3,
    convox: { min: 1, max: 60, default: 3 },
  },
  'health.grace': {
    verdict: 'honoured',
    why: 'seconds in which a starting copy may fail its probes',
    kind: 'seconds',
    example: '30',
    min: 0,
    max: 3600,
    default: 0,
  },
  'health.threshold.healthy': {
    verdict: 'honoured',
    why: 'probes in a row that make a copy healthy',
    kind: 'count',
    example: '1',
    min: 1,
    max: 10,
    default: 1,
    convox: { min: 2, max: 10, default: 2 },
  },
  'health.threshold.unhealthy': {
    verdict: 'honoured',
    why: 'failures in a row that make a copy unhealthy',
    kind: 'count',
    example: '3',
    min: 1,
    max: 10,
    default: 3,
    convox: { min: 2, max: 10, default: 2 },
  },
  'draining.timeout': {
    verdict: 'honoured',
    why: 'seconds that open requests get before SIGTERM',
    kind: 'seconds',
    example: '60',
    min: 0,
    max: 3600,
    default: 60,
    convox: { min: 1, max: 3600, default: 60 },
  },
  'deployment.minimum': {
    verdict: 'honoured',
    why: 'percent of the count that serve throughout an update; 0 for an agent',
    kind: 'percent',
    example: '50',
    min: 0,
    max: 100,
    default: 100,
    convox: { default: 50 },
  },
  'deployment.maximum': {
    verdict: 'honoured',
    why: 'percent of the count that may run during an update; 100 for an agent',
    kind: 'percent',
    example: '150',
    min: 100,
    max: 400,
    default: 200,
  },
  'port.*.protocol': {
    verdict: 'honoured',
    why: 'what an external port speaks: http or tcp',
    kind: 'protocol',
    example: 'tcp',
    default: '80 is http, 443 is https, anything else tcp',
  },
  'port.*.proxy': {
    verdict: 'honoured',
    why: 'sends the PROXY protocol (version 1) to the process, health checks included',
    kind: 'boolean',
    example: 'true',
    default: 'false',
  },
  'port.*.secure': {
    verdict: 'honoured',
    why: 'speaks TLS to the process, whose certificate is not verified',
    kind: 'boolean',
    example: 'true',
    default: 'false',
  },
  'release.command': {
    verdict: 'honoured',
    why: 'runs once in a shell of the new release, before traffic moves',
    kind: 'command',
    example: 'bin/migrate',
    default: 'none',
  },
  'cron.*': {
    verdict: 'refused',
    why: `timers are ${later}`,
    kind: 'timer',
    example: '0 3 * * * bin/nightly',
  },
  'cron.*.timezone': {
    verdict: 'refused',
    why: `timers are ${later}`,
    kind: 'timezone',
    example: 'Europe/Berlin',
    default: 'UTC',
  },
  agent: {
    verdict: 'honoured',
    why: 'runs one copy on every instance; its count is 1, or 0 to stop it',
    kind: 'boolean',
    example: 'true',
    default: 'false',
  },
  daemon: {
    verdict: 'honoured',
    why: 'the older name of `agent`',
    kind: 'boolean',
    example: 'true',
    default: 'false',
  },
  sticky: {
    verdict: 'honoured',
    why: 'sends a client to the same copy while the copies stay the same: `source` (its address), `header:NAME` or `uri`; the last two on http ports',
    kind: 'sticky',
    example: 'source',
    default: 'requests are spread evenly',
  },
  'idle.timeout': {
    verdict: 'honoured',
    why: 'seconds of silence that end a connection: of the process while it answers, of both sides of a websocket or on a tcp port',
    kind: 'seconds',
    example: '300',
    min: 1,
    max: 3600,
    default: '600 for an answer, 3600 for websockets and tcp',
    convox: { min: 1, max: 3600, default: 3600 },
  },
  allow: {
    verdict: 'honoured',
    why: 'the addresses and ranges that may connect, separated by commas; others get 403, or are closed on a tcp port. X-Forwarded-For is not believed',
    kind: 'addresses',
    example: '10.0.0.0/8,2001:db8::/32',
    default: 'everyone',
  },
  auth: {
    verdict: 'honoured',
    why: '`user:password` pairs, separated by commas, that http requests must name (basic authentication). The router keeps keyed digests alone, and looks at them without slowing a request',
    kind: 'accounts',
    example: 'admin:${ADMIN_PASSWORD}',
    default: 'nobody is asked',
  },
  balancer: {
    verdict: 'refused',
    why: 'the router serves every external port',
    kind: 'text',
    example: 'true',
    unless: ['true'],
  },
  'balancer.name': {
    verdict: 'ignored',
    why: 'there is one router',
    kind: 'text',
    example: 'web',
  },
  'environment.secure': {
    verdict: 'ignored',
    why: 'the environment is always encrypted at rest',
    kind: 'boolean',
    example: 'true',
  },
  'start.shift': {
    verdict: 'ignored',
    why: 'it is for local development',
    kind: 'count',
    example: '1000',
  },
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
