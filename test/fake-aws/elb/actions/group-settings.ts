import type {
  CreateTargetGroupInput,
  ModifyTargetGroupInput,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import { AwsError } from '../../fake-service.ts'
import { isOfNetwork, type GroupSettings, type HealthSettings } from '../state.ts'

const invalid = (message: string) => new AwsError('ValidationError', message)

type Protocol = GroupSettings['protocol']

/** What a group is from its creation on. @throws AwsError for what AWS refuses, and for what the rack has no use for */
export function readGroup(input: CreateTargetGroupInput): GroupSettings {
  const { Name, Protocol, Port, VpcId, TargetType, ProtocolVersion = 'HTTP1' } = input
  if (!/^(?!-)[A-Za-z0-9-]{1,32}(?<!-)$/.test(Name ?? '')) {
    throw invalid(`Target group name '${Name}' must be 1 to 32 letters, digits and inner hyphens`)
  }
  if (Name!.startsWith('internal-')) throw invalid("A name cannot begin with 'internal-'")
  // A task of Fargate is a target by its address only: an assertion of ours (§5.2).
  if (TargetType !== 'ip') throw invalid("the fake account has targets of type 'ip' only")
  if (!isProtocol(Protocol))
    throw invalid(`the fake account knows no target groups of protocol '${Protocol}'`)
  if (ProtocolVersion !== 'HTTP1')
    throw invalid(`the fake account knows no protocol version '${ProtocolVersion}'`)
  if (Port === undefined || Port < 1 || Port > 65_535) throw invalid('Port must be between 1 and 65535')
  if (VpcId === undefined) throw invalid('A VPC ID must be specified')
  if (input.HealthCheckEnabled === false)
    throw invalid('Health checks cannot be disabled for the target type ip')
  const health = readHealth(input, Protocol, defaultsOf(Protocol))
  return { name: Name!, protocol: Protocol, port: Port, vpcId: VpcId, health }
}

const isProtocol = (protocol: string | undefined): protocol is Protocol =>
  isCheckProtocol(protocol) || protocol === 'TLS' || protocol === 'UDP'

/** No target is checked by UDP, whatever it is led to by (D). */
const isCheckProtocol = (protocol: string | undefined): protocol is HealthSettings['protocol'] =>
  protocol === 'HTTP' || protocol === 'HTTPS' || protocol === 'TCP'

/** Defaults are documented (D). */
function defaultsOf(protocol: Protocol): HealthSettings {
  const isTcp = isOfNetwork({ protocol })
  return {
    protocol: isTcp ? 'TCP' : 'HTTP',
    port: 'traffic-port',
    path: '/',
    intervalSeconds: 30,
    timeoutSeconds: isTcp ? 10 : 5,
    healthyThreshold: 5,
    unhealthyThreshold: 2,
    matcher: isTcp ? '200-399' : '200',
  }
}

/** How targets are checked, with what is asked for in the place of what was. */
export function readHealth(
  input: ModifyTargetGroupInput | CreateTargetGroupInput,
  protocol: Protocol,
  before: HealthSettings,
): HealthSettings {
  const health: HealthSettings = {
    protocol: (input.HealthCheckProtocol as HealthSettings['protocol'] | undefined) ?? before.protocol,
    port: input.HealthCheckPort ?? before.port,
    path: input.HealthCheckPath ?? before.path,
    intervalSeconds: input.HealthCheckIntervalSeconds ?? before.intervalSeconds,
    timeoutSeconds: input.HealthCheckTimeoutSeconds ?? before.timeoutSeconds,
    healthyThreshold: input.HealthyThresholdCount ?? before.healthyThreshold,
    unhealthyThreshold: input.UnhealthyThresholdCount ?? before.unhealthyThreshold,
    matcher: input.Matcher?.HttpCode ?? before.matcher,
  }
  if (!isCheckProtocol(health.protocol) || (!isOfNetwork({ protocol }) && health.protocol === 'TCP')) {
    throw invalid(`Health check protocol '${health.protocol}' is not valid for ${protocol}`)
  }
  if (health.protocol === 'TCP' && (input.HealthCheckPath ?? input.Matcher)) {
    throw invalid('A path and a matcher cannot be specified for health checks of protocol TCP')
  }
  assertHealth(health)
  assertCodes(health.matcher, isOfNetwork({ protocol }) ? 599 : 499)
  return health
}

/** Ranges are those of the API reference (S, D). */
function assertHealth(health: HealthSettings): void {
  const { intervalSeconds, timeoutSeconds, healthyThreshold, unhealthyThreshold, port, path } = health
  const isIn = (value: number, least: number, most: number) =>
    Number.isInteger(value) && value >= least && value <= most
  if (!isIn(intervalSeconds, 5, 300)) throw invalid('Health check interval must be between 5 and 300 seconds')
  if (!isIn(timeoutSeconds, 2, 120)) throw invalid('Health check timeout must be between 2 and 120 seconds')
  if (timeoutSeconds >= intervalSeconds)
    throw invalid('Health check timeout must be smaller than the interval')
  if (!isIn(healthyThreshold, 2, 10)) throw invalid('Healthy threshold must be between 2 and 10')
  if (!isIn(unhealthyThreshold, 2, 10)) throw invalid('Unhealthy threshold must be between 2 and 10')
  if (port !== 'traffic-port' && !isIn(Number(port), 1, 65_535))
    throw invalid(`Health check port '${port}' is not valid`)
  if (!path.startsWith('/') || path.length > 1024) throw invalid(`Health check path '${path}' is not valid`)
}

/** An application balancer takes 200 to 499, a network one 200 to 599 (D). */
function assertCodes(matcher: string, most: number): void {
  const isForm = /^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/.test(matcher)
  if (isForm && matcher.split(/[-,]/).every((code) => Number(code) >= 200 && Number(code) <= most)) return
  throw invalid(`HTTP codes '${matcher}' are not valid`)
}

const isBoolean = (value: string) => value === 'true' || value === 'false'
const isSeconds = (least: number, most: number) => (value: string) =>
  /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most

interface Attribute {
  of: 'application' | 'network' | 'both'
  initial: string | { application: string; network: string }
  /** Of a group of UDP, where that is another one. */
  initialOfUdp?: string
  isGood: (value: string, protocol: Protocol) => boolean
}

/** The attributes that the rack sets; values and defaults are documented (D). */
const attributes: Readonly<Record<string, Attribute>> = {
  'deregistration_delay.timeout_seconds': { of: 'both', initial: '300', isGood: isSeconds(0, 3600) },
  // Not behind TLS (D).
  'stickiness.enabled': {
    of: 'both',
    initial: 'false',
    isGood: (value, protocol) => isBoolean(value) && (value === 'false' || protocol !== 'TLS'),
  },
  'stickiness.type': {
    of: 'both',
    initial: { application: 'lb_cookie', network: 'source_ip' },
    isGood: (value) => value === 'lb_cookie' || value === 'source_ip',
  },
  'stickiness.lb_cookie.duration_seconds': {
    of: 'application',
    initial: '86400',
    isGood: isSeconds(1, 604_800),
  },
  'load_balancing.algorithm.type': {
    of: 'application',
    initial: 'round_robin',
    isGood: (value) => value === 'round_robin' || value === 'least_outstanding_requests',
  },
  'proxy_protocol_v2.enabled': { of: 'network', initial: 'false', isGood: isBoolean },
  // Targets see the balancer's address: those of this machine cannot see a client's.
  // AWS's see that of a client of UDP always (D).
  'preserve_client_ip.enabled': {
    of: 'network',
    initial: 'false',
    initialOfUdp: 'true',
    isGood: (value, protocol) => value === String(protocol === 'UDP'),
  },
  'deregistration_delay.connection_termination.enabled': {
    of: 'network',
    initial: 'false',
    initialOfUdp: 'true',
    isGood: isBoolean,
  },
}

const kindOf = (protocol: Protocol) => (isOfNetwork({ protocol }) ? 'network' : 'application')

export function initialAttributes(protocol: Protocol): Map<string, string> {
  const kind = kindOf(protocol)
  const own = Object.entries(attributes).filter(([, { of }]) => of === 'both' || of === kind)
  return new Map(
    own.map(([key, { initial, initialOfUdp }]) => {
      const usual = typeof initial === 'string' ? initial : initial[kind]
      return [key, protocol === 'UDP' ? (initialOfUdp ?? usual) : usual]
    }),
  )
}

/** @throws AwsError for an attribute that such a group has not, and for a value that is none of it */
export function assertAttribute(protocol: Protocol, key: string, value: string): void {
  const attribute = attributes[key]
  const kind = kindOf(protocol)
  const types = { application: 'lb_cookie', network: 'source_ip' }
  if (!attribute || (attribute.of !== 'both' && attribute.of !== kind)) {
    throw new AwsError('ValidationError', `Target group attribute key '${key}' is not recognized`)
  }
  if (!attribute.isGood(value, protocol) || (key === 'stickiness.type' && value !== types[kind])) {
    throw new AwsError('InvalidConfigurationRequestException', `'${value}' is not a valid value of '${key}'`)
  }
}
