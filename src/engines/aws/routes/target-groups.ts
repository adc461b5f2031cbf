import type {
  CreateTargetGroupCommandInput,
  TargetGroup,
  TargetGroupAttribute,
} from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Control } from '../../../domain/control.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { Port } from '../../../domain/port.ts'
import { isAwsError } from '../../../aws/errors.ts'
import type { Way } from '../../../domain/ways.ts'
import { awsTags, ownerTag, targetGroupName, type GenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { untilKnown } from '../until-known.ts'

export interface TargetGroupInput {
  rack: string
  vpc: string
  generation: GenerationName
  plan: ProcessPlan
  way: Way
}

const within = (least: number, value: number, most: number) => Math.min(most, Math.max(least, value))

/** Pure: how the copies of a generation are met and checked behind one way in (aws.md 2.2). */
export function targetGroup(input: TargetGroupInput): CreateTargetGroupCommandInput {
  const { rack, vpc, generation, plan, way } = input
  const { health } = plan
  const { port } = way
  const isWeb = way.kind === 'web'
  const timeout = within(2, Math.ceil(health.timeoutMs / 1000), 60)
  const isProbedHere = health.port === null || health.port === port.container
  return {
    Name: targetGroupName(rack, generation, way.name),
    Protocol: isWeb ? (port.secure ? 'HTTPS' : 'HTTP') : rawProtocol(port),
    Port: port.container,
    VpcId: vpc,
    TargetType: 'ip',
    HealthCheckProtocol: isWeb ? (port.secure ? 'HTTPS' : 'HTTP') : 'TCP',
    // It asks by an address, which a process that knows its host name refuses: any answer but a server's own failure says
    // that it serves. The gate has asked for the path by its name.
    ...(isWeb && {
      HealthCheckPath: (isProbedHere ? health.path : null) ?? '/',
      Matcher: { HttpCode: '200-499' },
    }),
    HealthCheckPort: isWeb || health.port === null ? 'traffic-port' : String(health.port),
    HealthCheckIntervalSeconds: within(Math.max(5, timeout + 1), Math.ceil(health.intervalMs / 1000), 300),
    HealthCheckTimeoutSeconds: timeout,
    HealthyThresholdCount: within(2, health.healthyThreshold, 10),
    UnhealthyThresholdCount: within(2, health.unhealthyThreshold, 10),
    Tags: awsTags({
      rack,
      owner: ownerTag(generation.owner),
      type: generation.type,
      generation: generation.id,
    }),
  }
}

function rawProtocol({ protocol, secure }: Port): 'TCP' | 'TLS' | 'UDP' {
  if (protocol === 'udp') return 'UDP'
  return secure ? 'TLS' : 'TCP'
}

/** What of it may change while it serves. */
export function targetGroupAttributes(plan: ProcessPlan, way: Way): TargetGroupAttribute[] {
  const isWeb = way.kind === 'web'
  const isSticky = plan.routing.sticky?.by === 'source'
  const values: Record<string, string> = {
    'deregistration_delay.timeout_seconds': String(within(0, Math.ceil(plan.drainTimeoutMs / 1000), 3600)),
    'stickiness.enabled': String(isSticky),
    'stickiness.type': isWeb ? 'lb_cookie' : 'source_ip',
    ...(!isWeb && {
      'proxy_protocol_v2.enabled': String(way.port.proxy !== false),
      // What is still connected when its time is over is cut, as everywhere.
      'deregistration_delay.connection_termination.enabled': 'true',
    }),
  }
  return Object.entries(values).map(([Key, Value]) => ({ Key, Value }))
}

/** Makes it, or finds it; gives its ARN. */
export async function makeTargetGroup(
  { clients, rack, places }: AwsParts,
  of: Pick<TargetGroupInput, 'generation' | 'plan' | 'way'>,
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const abort = { abortSignal: signal }
  const input = targetGroup({ rack, vpc: places.vpc, ...of })
  const { TargetGroups = [] } = await clients.balancers.createTargetGroup(input, abort)
  return TargetGroups[0]!.TargetGroupArn!
}

/** Also of one that was made just before. */
export async function setAttributes(
  parts: Pick<AwsParts, 'clients' | 'intervals'>,
  { group, plan, way }: { group: string; plan: ProcessPlan; way: Way },
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const input = { TargetGroupArn: group, Attributes: targetGroupAttributes(plan, way) }
  const set = async () =>
    await parts.clients.balancers.modifyTargetGroupAttributes(input, { abortSignal: signal })
  await untilKnown(parts, set, signal)
}

/** What of a group's checks is not as it shall be; null where all is. Pure. */
export function checkChanges(found: TargetGroup, wanted: TargetGroupChecks): TargetGroupChecks | null {
  const { Matcher, ...plain } = wanted
  const names = Object.keys(plain) as (keyof typeof plain)[]
  const isSame =
    names.every((name) => found[name] === plain[name]) && found.Matcher?.HttpCode === Matcher?.HttpCode
  return isSame ? null : wanted
}

type TargetGroupChecks = Pick<
  CreateTargetGroupCommandInput,
  | 'HealthCheckProtocol'
  | 'HealthCheckPath'
  | 'Matcher'
  | 'HealthCheckPort'
  | 'HealthCheckIntervalSeconds'
  | 'HealthCheckTimeoutSeconds'
  | 'HealthyThresholdCount'
  | 'UnhealthyThresholdCount'
>

/** Has a group that serves as its plan is now; what is so is not written. */
export async function bringTargetGroup(
  parts: AwsParts,
  { group, ...of }: { group: string } & Pick<TargetGroupInput, 'generation' | 'plan' | 'way'>,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const { clients, rack, places } = parts
  const abort = { abortSignal: control.signal }
  const input = targetGroup({ rack, vpc: places.vpc, ...of })
  const {
    Name: _name,
    Protocol: _protocol,
    Port: _port,
    VpcId: _vpc,
    TargetType: _type,
    Tags: _tags,
    ...checks
  } = input
  const { TargetGroups = [] } = await clients.balancers.describeTargetGroups(
    { TargetGroupArns: [group] },
    abort,
  )
  const changes = checkChanges(TargetGroups[0] ?? {}, checks)
  if (changes) await clients.balancers.modifyTargetGroup({ TargetGroupArn: group, ...changes }, abort)
  const { Attributes = [] } = await clients.balancers.describeTargetGroupAttributes(
    { TargetGroupArn: group },
    abort,
  )
  const known = new Map(Attributes.map(({ Key, Value }) => [Key, Value]))
  const wanted = targetGroupAttributes(of.plan, of.way)
  if (wanted.some(({ Key, Value }) => known.get(Key) !== Value))
    await setAttributes(parts, { group, plan: of.plan, way: of.way }, control)
}

/** Safe to repeat; nothing may lead to it any more. */
export async function removeTargetGroup(
  { clients }: Pick<AwsParts, 'clients'>,
  arn: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    await clients.balancers.deleteTargetGroup({ TargetGroupArn: arn }, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'TargetGroupNotFoundException')) throw error
  }
}

/** Whether an ARN is that of the group of this name. */
export function isTargetGroup(arn: string | undefined, name: string): boolean {
  return arn?.includes(`:targetgroup/${name}/`) ?? false
}
