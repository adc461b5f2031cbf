import type { ProcessType } from '../../domain/manifest.ts'
import { isIpRange } from '../../lib/ip-range.ts'
import type { Fix } from '../fix/fix.ts'
import type { PlacedProcess } from '../keys/process.ts'
import { pairsOf } from '../keys/values/values.ts'
import { Problems } from '../problems.ts'
import { childOf, type Node } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** What a file tells another proxy of a process. */
export interface OtherProxy {
  /** Who is told. */
  proxy: 'Traefik' | 'Caddy' | 'nginx-proxy'
  /** The host names that lead to the process. */
  hosts: string[]
  /** The port on which it listens; null when the proxy shall find it. */
  port: number | null
  /** What else it is told, as the labels of a rack that say the same. */
  labels: Record<string, string>
}

/** What the labels or variables of a process tell another proxy, a Swarm service's too; null when they tell none. */
export function otherProxyOf({ type, entry }: Pick<PlacedProcess, 'type' | 'entry'>): OtherProxy | null {
  const variables = Object.fromEntries(type.environment.map(({ name, value }) => [name, value ?? '']))
  const labels = { ...swarmLabelsOf(entry.value), ...type.labels }
  return traefikOf(labels) ?? caddyOf(labels) ?? nginxProxyOf(variables)
}

/** What is wrong with them is Swarm's to say. */
function swarmLabelsOf(service: Node): Record<string, string> {
  const pairs = pairsOf(childOf(childOf(service, 'deploy'), 'labels'), new Problems())
  return Object.fromEntries(pairs.map(({ name, value }) => [name, value ?? '']))
}

function traefikOf(labels: Record<string, string>): OtherProxy | null {
  const own = Object.entries(labels).filter(([name]) => name.startsWith('traefik.'))
  if (own.length === 0 || labels['traefik.enable'] === 'false') return null
  const valueOf = (end: RegExp) => own.find(([name]) => end.test(name))?.[1]
  const rules = own.filter(([name]) => name.endsWith('.rule')).map(([, value]) => value)
  const calls = rules.flatMap((rule) => rule.match(/Host(SNI)?(\([^)]*\)|:[^;]*)/g) ?? [])
  const hosts = calls.flatMap((call) => call.replace(/^Host(SNI)?/, '').match(/[\w.*-]+\.[\w-]+/g) ?? [])
  const port = portOf(valueOf(/\.loadbalancer\.server\.port$|^traefik\.port$/i))
  const path = valueOf(/\.loadbalancer\.healthcheck\.path$/i)
  const ranges = valueOf(/\.ip(whitelist|allowlist)\.sourcerange$/i)
  const isSticky = own.some(([name, value]) => /\.sticky(\.cookie)?$/i.test(name) && value === 'true')
  return {
    proxy: 'Traefik',
    hosts: [...new Set(hosts)],
    port,
    labels: {
      ...(path?.startsWith('/') && { 'rack.health.path': path }),
      ...(ranges && areRanges(ranges) && { 'rack.allow': ranges.replaceAll(' ', '') }),
      ...(isSticky && { 'rack.sticky': 'source' }),
    },
  }
}

function areRanges(text: string): boolean {
  return text.split(',').every((range) => isIpRange(range.trim()))
}

function caddyOf(labels: Record<string, string>): OtherProxy | null {
  const sites = Object.entries(labels).filter(([name]) => /^caddy(_\d+)?$/.test(name))
  if (sites.length === 0) return null
  const upstream = Object.entries(labels).find(([name]) => /^caddy(_\d+)?\.(\w+\.)*reverse_proxy$/.test(name))
  const hosts = sites.flatMap(([, value]) => value.match(/[\w*-]+(\.[\w-]+)+/g) ?? [])
  return { proxy: 'Caddy', hosts, port: portOf(/(\d+)\D*$/.exec(upstream?.[1] ?? '')?.[1]), labels: {} }
}

function nginxProxyOf(variables: Record<string, string>): OtherProxy | null {
  if (!Object.hasOwn(variables, 'VIRTUAL_HOST')) return null
  const hosts = (variables.VIRTUAL_HOST ?? '').split(',').map((host) => host.trim())
  return {
    proxy: 'nginx-proxy',
    hosts: hosts.filter((host) => host !== ''),
    port: portOf(variables.VIRTUAL_PORT),
    labels: {},
  }
}

function portOf(text: string | undefined): number | null {
  const port = Number(text)
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : null
}

/** Says of each process that is told to another proxy what to write for the rack's own router. */
export function tellOfOtherProxies({ processes, problems }: Across): void {
  for (const placed of processes) {
    const told = otherProxyOf(placed)
    if (!told) continue
    const { type, entry } = placed
    const open = portFor(type, told)
    const labels = labelsFor(entry.value, told)
    const opening = open === null ? [] : [`write \`ports: ["80:${open}"]\``]
    const hints = [
      ...opening,
      ...labels.map(([name, value]) => `write the label ${name}=${value}`),
      ...domainHint(told),
    ]
    const message = `what is said to ${told.proxy} has no effect: the rack routes by host name itself`
    const hint = hints.join('; ') || 'remove it'
    const fix: Fix[] = [
      ...openingOf(type, open),
      ...labels.map(([name, value]) => ({ change: 'add', under: 'labels', name, value }) as const),
    ]
    problems.warn(placeOf(placed, told), message, fix.length > 0 ? { hint, fix, at: entry.key } : hint)
  }
}

function placeOf({ type, entry }: PlacedProcess, { proxy }: OtherProxy) {
  const isSwarm = !Object.keys(type.labels).some((name) => /^(traefik\.|caddy)/.test(name))
  const labels = isSwarm ? childOf(childOf(entry.value, 'deploy'), 'labels') : childOf(entry.value, 'labels')
  return (proxy === 'nginx-proxy' ? childOf(entry.value, 'environment') : labels) ?? entry.key
}

/** On which the process listens, where it is told; null where the router has it by a name. */
function portFor({ expose, ports }: ProcessType, { port }: OtherProxy): number | 'PORT' | null {
  const open = ports.filter(({ external }) => external !== null)
  if (open.some(({ protocol }) => protocol === 'http')) return null
  return port ?? ports[0]?.container ?? expose[0] ?? 'PORT'
}

/** A port of the process that is open already becomes one with a name. */
function openingOf({ ports }: ProcessType, open: number | 'PORT' | null): Fix[] {
  if (typeof open !== 'number') return []
  const raw = ports.find(
    ({ external, container, protocol }) => external && container === open && protocol === 'tcp',
  )
  return raw
    ? [{ change: 'add', under: 'labels', name: `rack.port.${raw.external}.protocol`, value: 'http' }]
    : [{ change: 'add', under: 'ports', value: `80:${open}` }]
}

/** Those of them that the process has not, in any value. */
function labelsFor(service: Node, { labels }: OtherProxy): [string, string][] {
  const given = new Set(pairsOf(childOf(service, 'labels'), new Problems()).map(({ name }) => name))
  return Object.entries(labels).filter(([name]) => !given.has(name))
}

/** A rack names an app under its domain: `shop.example.com` is the app `shop` of a rack at `example.com`. */
function domainHint({ hosts }: OtherProxy): string[] {
  const [host] = hosts
  const [name, ...rest] = host?.split('.') ?? []
  if (!name || rest.length < 2) return []
  const domain = rest.join('.')
  return [
    `the app "${name}" of a rack at ${domain} is ${host}: \`rack install --domain ${domain}\`, \`rack deploy --app ${name}\``,
  ]
}
