import type { EngineFeatures } from '../../../domain/features.ts'
import type { ProcessType } from '../../../domain/manifest.ts'
import { usualReplacement, type Health, type Port } from '../../../domain/port.ts'
import type { Problems } from '../../problems.ts'
import type { Node } from '../../syntax/tree.ts'
import { isAgentOf } from './agents.ts'
import { labelRules } from './label-rules.ts'
import type { FamilyLabel, Labels } from './labels.ts'
import { withPortLabels } from './port-labels.ts'
import type { PlacedPort } from '../ports.ts'
import { routingOf } from './routing.ts'
import { timersOf } from './timer-labels.ts'
import { updateConfigOf } from './update-config.ts'

/** What the labels of a process say of how it is reached, watched and replaced. */
export type Serving = Pick<
  ProcessType,
  | 'ports'
  | 'routing'
  | 'isAgent'
  | 'health'
  | 'deployment'
  | 'watchMs'
  | 'rollsBack'
  | 'drainTimeoutMs'
  | 'holdMs'
  | 'releaseCommand'
  | 'releaseCommandOn'
  | 'timers'
  | 'isDeclaredOnly'
>

export interface ServingKeys {
  service: Node
  labels: Labels
  ports: PlacedPort[]
  expose: number[]
}

/** Reads the labels that say how a process serves, each with its default. */
export function servingOf(
  { service, labels, ports: placedPorts, expose }: ServingKeys,
  features: EngineFeatures,
  problems: Problems,
): Serving {
  const ports = withPortLabels(placedPorts, labels, features, problems)
  const isAgent = isAgentOf(service, labels, problems)
  checkProbes(labels, features, problems)
  if (features.udpAlone !== true) checkUdpProbes(labels, { ports, placedPorts, expose }, problems)
  return {
    ports,
    routing: routingOf(labels, ports, features, problems),
    isAgent,
    health: healthOf(labels, [...ports.map(({ container }) => container), ...expose], problems),
    deployment: deploymentOf(service, labels, isAgent, problems),
    watchMs: Math.round(numberOf(labels, 'deployment.watch') * 1000),
    rollsBack: labels.family.get('deployment.rollback')?.value.toLowerCase() === 'auto',
    drainTimeoutMs: Math.round(numberOf(labels, 'draining.timeout') * 1000),
    holdMs: Math.round(numberOf(labels, 'deployment.hold') * 1000),
    releaseCommand: releaseCommandOf(labels),
    releaseCommandOn: releaseCommandOnOf(labels, problems),
    timers: timersOf(labels),
    ...(labels.family.get('environment')?.value.toLowerCase() === 'declared' && { isDeclaredOnly: true }),
  }
}

/** How the rack probes a copy: the labels `rack.health.*`, each with its default. */
function healthOf(labels: Labels, containerPorts: number[], problems: Problems): Health {
  const { family } = labels
  const path = family.get('health.path')
  const port = family.get('health.port')
  if (path && !port && containerPorts.length === 0) {
    problems.error(path.at, 'there is no port to check', 'declare one under `ports:`')
  }
  if (port && !containerPorts.includes(port.number)) {
    const known =
      containerPorts.length > 0
        ? `the container ports are: ${containerPorts.join(', ')}`
        : 'declare it under `ports:`'
    problems.error(port.at, `${port.number} is not a container port of the process`, known)
  }
  const timeout = numberOf(labels, 'health.timeout')
  return {
    path: path?.value ?? null,
    host: family.get('health.host')?.value.toLowerCase() ?? null,
    port: port?.number ?? null,
    intervalMs: Math.round(intervalOf(labels, timeout, problems) * 1000),
    timeoutMs: Math.round(timeout * 1000),
    graceMs: Math.round(numberOf(labels, 'health.grace') * 1000),
    healthyThreshold: numberOf(labels, 'health.threshold.healthy'),
    unhealthyThreshold: numberOf(labels, 'health.threshold.unhealthy'),
    replacement: replacementOf(family.get('health.replace')),
  }
}

function replacementOf(label: FamilyLabel | undefined): Health['replacement'] {
  if (!label) return usualReplacement
  if (label.value.toLowerCase() === 'never') return { when: 'never' }
  return { when: 'always', afterMs: Math.round(label.number * 1000) }
}

/** Says where the balancer probes more slowly than a label wants; while a copy starts the label holds. */
function checkProbes({ family }: Labels, { probes }: EngineFeatures, problems: Problems): void {
  if (probes === true) return
  const least: Record<string, number> = {
    'health.interval': probes.shortestIntervalMs / 1000,
    'health.timeout': probes.shortestTimeoutMs / 1000,
    'health.threshold.healthy': probes.fewestInARow,
    'health.threshold.unhealthy': probes.fewestInARow,
  }
  for (const [name, number] of Object.entries(least)) {
    const label = family.get(name)
    if (label && label.number < number)
      problems.warn(label.at, `${name} is rounded to ${number} once a copy serves: ${probes.why}`)
  }
}

/** Nobody can tell whether an opening for udp is heard; another one has to answer for the process. */
function checkUdpProbes(
  { family }: Labels,
  { ports, placedPorts, expose }: { ports: Port[]; placedPorts: PlacedPort[]; expose: number[] },
  problems: Problems,
): void {
  const index = ports.findIndex(({ protocol }) => protocol === 'udp')
  const place = placedPorts[index]?.at
  if (!place) return
  const answering = [
    ...ports.filter(({ protocol }) => protocol !== 'udp').map(({ container }) => container),
    ...expose,
  ]
  const probed = family.get('health.port')
  if (probed && answering.includes(probed.number)) return
  const number = answering[0] ?? 'N'
  problems.error(
    probed?.at ?? place,
    'a process that is reached by udp needs a tcp port on which it is probed',
    `${answering.length > 0 ? '' : 'declare one under `expose:`, and '}write the label rack.health.port=${number}`,
  )
}

function intervalOf(labels: Labels, timeout: number, problems: Problems): number {
  const label = labels.family.get('health.interval')
  if (!label) return usesConvox(labels, 'health.') ? timeout + 2 : Math.max(5, timeout + 2)
  if (label.number < timeout) {
    problems.error(
      label.at,
      `the interval of ${label.number} s is shorter than the timeout of ${timeout} s`,
      'raise rack.health.interval, or lower rack.health.timeout',
    )
  }
  return label.number
}

/** The percents between which an update moves; the labels win over `deploy.update_config`. */
function deploymentOf(
  service: Node,
  labels: Labels,
  isAgent: boolean,
  problems: Problems,
): ProcessType['deployment'] {
  const updateConfig = updateConfigOf(service, problems)
  const minimum = labels.family.get('deployment.minimum')
  const maximum = labels.family.get('deployment.maximum')
  if (updateConfig && !isAgent && !minimum && !maximum) return updateConfig
  // The second copy of an agent would stand beside the first on its instance.
  const minimumPercent = minimum?.number ?? (isAgent ? 0 : numberOf(labels, 'deployment.minimum'))
  const maximumPercent = maximum?.number ?? (isAgent ? 100 : numberOf(labels, 'deployment.maximum'))
  const label = minimum ?? maximum
  // The default is nobody's wish; whoever writes Convox's labels knows its rules, by which releases overlap.
  const isAsked = minimum !== undefined || usesConvox(labels, 'deployment.')
  if (label && minimumPercent === 100 && maximumPercent === 100) {
    problems.error(
      label.at,
      'with a minimum and a maximum of 100 percent no copy could ever be replaced',
      'raise rack.deployment.maximum',
    )
  }
  return { minimumPercent, maximumPercent, mayOverlap: isAsked && minimumPercent > 0 }
}

/** The command of `rack.release.command`, run by a shell; null without one. */
function releaseCommandOf({ family }: Labels): string[] | null {
  const label: FamilyLabel | undefined = family.get('release.command')
  return label ? ['sh', '-c', label.value] : null
}

function releaseCommandOnOf({ family }: Labels, problems: Problems): ProcessType['releaseCommandOn'] {
  const label = family.get('release.on')
  if (label && !family.has('release.command'))
    problems.warn(label.at, 'there is no release command', 'write rack.release.command, or remove the label')
  return label?.value.toLowerCase() === 'build' ? 'build' : 'promote'
}

/** The label's number, else its default: Convox's where the process uses that family's labels. */
function numberOf(labels: Labels, name: string): number {
  const label = labels.family.get(name)
  if (label) return label.number
  const rule = labelRules[name]
  const own = usesConvox(labels, name.slice(0, name.indexOf('.') + 1)) ? rule?.convox?.default : undefined
  const value = own ?? rule?.default
  return typeof value === 'number' ? value : 0
}

function usesConvox({ family }: Labels, prefix: string): boolean {
  return [...family].some(([name, { isConvox }]) => isConvox && name.startsWith(prefix))
}
