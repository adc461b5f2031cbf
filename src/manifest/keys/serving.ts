import type { ProcessType } from '../../domain/manifest.ts'
import type { Health, Port, PortProtocol } from '../../domain/port.ts'
import type { Problems } from '../problems.ts'
import type { Node } from '../syntax/tree.ts'
import { labelRules } from './label-rules.ts'
import type { FamilyLabel, Labels } from './labels.ts'
import type { PlacedPort } from './ports.ts'
import { updateConfigOf } from './update-config.ts'

/** Applies `rack.port.N.protocol`, and refuses what the router of this version does not speak. */
export function withProtocols(ports: PlacedPort[], { family }: Labels, problems: Problems): Port[] {
  for (const [name, { at }] of family) {
    const number = /^port\.(.+)\.protocol$/.exec(name)?.[1]
    if (number === undefined || ports.some(({ port }) => String(port.external) === number)) continue
    const external = ports.flatMap(({ port }) => (port.external === null ? [] : [port.external]))
    const hint =
      external.length > 0
        ? `the external ports are: ${external.join(', ')}`
        : 'the process has no external port'
    problems.error(
      at,
      `the label names the port ${number}, which is not an external port of the process`,
      hint,
    )
  }
  return ports.map(({ port, at }) => {
    const label = port.external === null ? undefined : family.get(`port.${port.external}.protocol`)
    const protocol = (label?.value.toLowerCase() ?? port.protocol) as PortProtocol
    if (protocol !== 'http' && protocol !== 'tcp') refuseProtocol(protocol, port, label?.at ?? at, problems)
    return { ...port, protocol }
  })
}

function refuseProtocol(protocol: PortProtocol, { external }: Port, at: Node, problems: Problems): void {
  const hint = `write the label rack.port.${external}.protocol=tcp when the process speaks it itself, or remove the port`
  problems.error(
    at,
    `port ${external} is ${protocol}, which is refused: this version serves http and tcp`,
    hint,
  )
}

/** How the rack probes a copy: the labels `rack.health.*`, each with its default. */
export function healthOf(labels: Labels, containerPorts: number[], problems: Problems): Health {
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
    port: port?.number ?? null,
    intervalMs: Math.round(intervalOf(labels, timeout, problems) * 1000),
    timeoutMs: Math.round(timeout * 1000),
    graceMs: Math.round(numberOf(labels, 'health.grace') * 1000),
    healthyThreshold: numberOf(labels, 'health.threshold.healthy'),
    unhealthyThreshold: numberOf(labels, 'health.threshold.unhealthy'),
  }
}

function intervalOf(labels: Labels, timeout: number, problems: Problems): number {
  const label = labels.family.get('health.interval')
  if (!label) return usesConvox(labels, 'health.') ? timeout + 2 : Math.max(5, timeout + 2)
  if (label.number < timeout) {
    problems.error(label.at, `the interval of ${label.number} s is shorter than the timeout of ${timeout} s`)
  }
  return label.number
}

/** The percents between which an update moves; the labels win over `deploy.update_config`. */
export function deploymentOf(service: Node, labels: Labels, problems: Problems): ProcessType['deployment'] {
  const updateConfig = updateConfigOf(service, problems)
  const minimum = labels.family.get('deployment.minimum')
  const maximum = labels.family.get('deployment.maximum')
  if (updateConfig && !minimum && !maximum) return updateConfig
  const minimumPercent = numberOf(labels, 'deployment.minimum')
  const maximumPercent = numberOf(labels, 'deployment.maximum')
  const label = minimum ?? maximum
  if (label && minimumPercent === 100 && maximumPercent === 100) {
    problems.error(
      label.at,
      'with a minimum and a maximum of 100 percent no copy could ever be replaced',
      'raise rack.deployment.maximum',
    )
  }
  return { minimumPercent, maximumPercent }
}

/** Milliseconds that open requests get before the stop signal. */
export function drainTimeoutMsOf(labels: Labels): number {
  return Math.round(numberOf(labels, 'draining.timeout') * 1000)
}

/** The command of `rack.release.command`, run by a shell; null without one. */
export function releaseCommandOf({ family }: Labels): string[] | null {
  const label: FamilyLabel | undefined = family.get('release.command')
  return label ? ['sh', '-c', label.value] : null
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
