import { awsFeatures, awsFeaturesOf } from '../../domain/aws-features.ts'
import type { Control } from '../../domain/control.ts'
import type { Domain } from '../../domain/domain-name.ts'
import { RackError } from '../../domain/error.ts'
import type { Lack } from '../../domain/features.ts'
import { isSameOwner, ownerText, type Owner } from '../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../domain/plan.ts'
import { udpBesideTcp } from '../../domain/udp-beside-tcp.ts'
import { waysOf, type Way } from '../../domain/ways.ts'
import { findGenerations } from './look/found.ts'
import { notThere } from './not-there.ts'
import type { AwsParts } from './parts.ts'
import { findListeners, isWaitingPort, type FoundListener } from './routes/listeners.ts'
import { findPlaces } from './routes/places.ts'
import { openingShortage } from './routes/open-ports.ts'
import { hostsOfRule, ruleShortage } from './routes/conditions.ts'
import { visitorNames } from './routes/visitor-names.ts'
import { balancerShortage } from './web/choose-balancer.ts'
import { findWebs, isLive, type FoundRule } from './routes/rules.ts'

/**
 * A port or a host name that another owner has, ports that the network balancer is not told how to serve, and more than
 * the balancer can lead to.
 * @param starting types of which copies will be started, as far as it is known
 */
export async function obstaclesOf(
  parts: AwsParts,
  plan: Plan,
  starting: ReadonlySet<string>,
  control: Control,
): Promise<RackError[]> {
  const shortages = nameObstacles(plan, parts.domains.current())
  return [
    ...unservedPorts(plan, parts.places),
    ...shortages,
    ...(await takenWays(parts, plan, starting, control)),
  ]
}

/**
 * What a port asks for that no listener or target group is told, in the words by which a file is refused: a plan may be
 * of a build for another engine.
 */
export function unservedPorts(
  { processes }: Pick<Plan, 'processes'>,
  { balancer }: { balancer: Pick<AwsParts['places']['balancer'], 'listeners'> },
): RackError[] {
  const openings = processes.flatMap(({ type, ports }) => ports.map((port) => ({ type, port })))
  const both = new Set(udpBesideTcp(openings).map(({ opening }) => opening.port))
  return processes.flatMap((each) =>
    waysOf(each).flatMap((way) => {
      const lack = both.has(way.port)
        ? lackOf(awsFeatures.udpBesideTcp)
        : unservedReason(way, each, balancer.listeners.https !== null)
      if (lack === null) return []
      return [notThere(`serve ${each.type} on ${way.name}`, lack.why, lack.instead)]
    }),
  )
}

/** Why processes of a plan cannot be reached by all their names and these domains. Pure. */
export function nameObstacles(
  plan: Pick<Plan, 'owner' | 'processes'>,
  domains: readonly Domain[],
): RackError[] {
  return plan.processes.flatMap((each) => {
    const hosts = visitorNames(plan, each, domains)
    return ruleShortage({ ...each, hosts }) ?? []
  })
}

/** Why, and what to write instead. */
interface Reason {
  why: string
  instead?: string
}

function lackOf(feature: true | Lack): Reason | null {
  return feature === true ? null : feature
}

function unservedReason(
  { kind, port }: Way,
  { routing, health }: Pick<ProcessPlan, 'routing' | 'health'>,
  hasCertificate: boolean,
): Reason | null {
  if (kind === 'web') return port.upstream ? lackOf(awsFeatures.http2ToProcess) : null
  if (port.protocol === 'udp' && health.port === null) return lackOf(awsFeatures.udpAlone)
  if (port.protocol === 'tls') {
    if (!hasCertificate) return lackOf(awsFeaturesOf({ hasCertificate }).tlsPorts)
    if (routing.sticky !== null) return lackOf(awsFeatures.stickyOnTls)
  }
  return null
}

async function takenWays(
  parts: AwsParts,
  plan: Plan,
  starting: ReadonlySet<string>,
  control: Control,
): Promise<RackError[]> {
  const ports = externalPorts(plan)
  if (ports.length + plan.processes.flatMap((each) => each.hosts).length === 0) return []
  const closed = ports.filter(isWaitingPort).map((port) => {
    const hint = 'Choose a port below 60000.'
    return new RackError('port-taken', `the balancer keeps port ${port} for itself`, { hint })
  })
  const listeners = await findListeners(parts, control)
  const webs = await findWebs(parts, control)
  const rules = webs.flatMap((web) => web.rules)
  const full = await balancerShortage(parts, { plan, starting, webs }, control)
  const crowded = await openingShortage(parts, { plan, live: null }, control)
  return [
    ...closed,
    ...(crowded === null ? [] : [crowded]),
    ...(full === null ? [] : [full]),
    ...(await leadElsewhere(parts, plan.owner, { led: ledWays(plan, { listeners, rules }), rules }, control)),
  ]
}

/**
 * Another deploy may have come to a way in since this one was looked at first. To be asked in turn with everybody who
 * leads ways in.
 * @param own ARNs of target groups that are the owner's for certain
 * @throws port-taken
 */
export async function refuseTaken(
  parts: AwsParts,
  plan: Pick<Plan, 'owner' | 'processes'>,
  found: FoundWays & { own: ReadonlySet<string> },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const led = ledWays(plan, found).filter(({ group }) => !found.own.has(group))
  const [taken] = await leadElsewhere(parts, plan.owner, { led, rules: found.rules }, control)
  if (taken) throw taken
}

interface FoundWays {
  listeners: readonly FoundListener[]
  rules: readonly FoundRule[]
}

/** A way in, and the target group that it leads to; the rule itself where that answers. */
interface LedWay {
  what: string
  group: string
}

function externalPorts({ processes }: Pick<Plan, 'processes'>): number[] {
  return processes.flatMap((each) => waysOf(each).flatMap(({ external }) => external ?? []))
}

/** Where the ways in of a plan lead now. Pure. */
export function ledWays(plan: Pick<Plan, 'processes'>, { listeners, rules }: FoundWays): LedWay[] {
  const ports = new Set(externalPorts(plan))
  const hosts = new Set(plan.processes.flatMap((each) => each.hosts))
  return [
    ...listeners.flatMap(({ port, group }) =>
      ports.has(port) && group ? [{ what: `port ${port}`, group }] : [],
    ),
    ...rules.filter(isLive).flatMap((rule) => {
      const {
        arn,
        groups: [first],
        isPlace,
      } = rule
      const group = first?.arn ?? (isPlace ? arn : '')
      const led = group ? hostsOfRule(rule).filter((host) => hosts.has(host)) : []
      return led.map((what) => ({ what, group }))
    }),
  ]
}

/** Only for what the owner's own copies do not have are all others asked. */
async function leadElsewhere(
  parts: AwsParts,
  owner: Owner,
  { led, rules }: { led: LedWay[]; rules: readonly FoundRule[] },
  control: Pick<Control, 'signal'>,
): Promise<RackError[]> {
  if (led.length === 0) return []
  const own = await holdersOfGroups(parts, { owner }, control)
  const others = led.filter(({ group }) => !own.has(group))
  if (others.length === 0) return []
  const places = await findPlaces(parts, rules, control)
  const holders = new Map([
    ...(await holdersOfGroups(parts, {}, control)),
    ...places.map((place) => [place.rule.arn, place.owner] as const),
  ])
  return others.flatMap(({ what, group }) => {
    const holder = holders.get(group)
    return holder && !isSameOwner(holder, owner) ? [takenError(what, holder)] : []
  })
}

function takenError(what: string, owner: Owner): RackError {
  return new RackError('port-taken', `${what} is taken by ${ownerText(owner)}`)
}

async function holdersOfGroups(
  parts: AwsParts,
  filter: { owner?: Owner },
  control: Pick<Control, 'signal'>,
): Promise<Map<string, Owner>> {
  const generations = await findGenerations(parts, filter, control)
  return new Map(
    generations.flatMap(({ owner, service }) =>
      (service.loadBalancers ?? []).flatMap(({ targetGroupArn }) =>
        targetGroupArn ? [[targetGroupArn, owner] as const] : [],
      ),
    ),
  )
}
