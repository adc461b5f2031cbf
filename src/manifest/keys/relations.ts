import type { Dependency, ProcessLink } from '../../domain/manifest.ts'
import { itemRemoval } from '../fix/fix.ts'
import { isThere } from '../lacks.ts'
import { respelling } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { childOf, keyNode, shown, shownPart, type Node } from '../syntax/tree.ts'
import type { Asking } from './container/privileges.ts'
import { processNameOf } from './process-name.ts'
import { booleanOf, entriesOf, itemsOf, textOf } from './values/values.ts'

/** A link or dependency with the place that names it. */
export interface Placed<T> {
  value: T
  at: Node
}

/** An alias is a host name, and upper-cased the prefix of variables. */
const aliasName = /^[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/

/** Reads `links:`, as `process` or `process:alias`. */
export function linksOf(service: Node, problems: Problems): Placed<ProcessLink>[] {
  const links = new Map<string, Placed<ProcessLink>>()
  for (const at of itemsOf(childOf(service, 'links'), problems)) {
    const text = textOf(at, problems)
    if (text === null) continue
    const [target = '', alias = target, ...more] = text.split(':')
    const key = alias.toUpperCase().replaceAll('-', '_')
    if (more.length > 0 || !aliasName.test(alias))
      problems.error(at, `${shown(at)} is not a link`, 'write "process" or "process:alias"')
    else if (!links.has(key)) links.set(key, { value: { target: processNameOf(target), alias }, at })
    else if (links.get(key)?.value.target === processNameOf(target))
      problems.warn(at, `the link ${shown(at)} is named twice`, { fix: itemRemoval })
    else
      problems.error(
        at,
        `two links would set the same variables: ${shownPart(at, `${key}_URL`)}`,
        'give one of them an alias: "process:alias"',
      )
  }
  return [...links.values()]
}

/** A dependency as the file has it; one that is not required may name a process that is absent. */
export interface FileDependency extends Dependency {
  isRequired: boolean
}

const conditions: Record<string, Dependency['condition']> = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
}

/** Reads `depends_on:` in both syntaxes. */
export function dependenciesOf(service: Node, problems: Problems): Placed<FileDependency>[] {
  const node = childOf(service, 'depends_on')
  if (node?.kind === 'map') {
    return entriesOf(node, problems).map(([written, { key, value }]) => {
      const target = processNameOf(written)
      checkConditions(value, problems)
      const isRequired = booleanOf(childOf(value, 'required'), problems) ?? true
      const condition = conditionOf(childOf(value, 'condition'), problems)
      const restart = booleanOf(childOf(value, 'restart'), problems) ?? false
      return { value: { target, condition, restart, isRequired }, at: keyNode(written, key) }
    })
  }
  const names = new Set<string>()
  return itemsOf(node, problems).flatMap((at): Placed<FileDependency>[] => {
    const written = textOf(
      at,
      problems,
      'write the name alone, or `NAME:` without the dash and `condition:` under it',
    )
    const target = written === null ? null : processNameOf(written)
    if (target === null || names.has(target)) return []
    names.add(target)
    return [{ value: { target, condition: 'started', restart: false, isRequired: true }, at }]
  })
}

function checkConditions(value: Node, problems: Problems): void {
  const text = value.kind === 'scalar' ? String(value.value) : ''
  if (Object.hasOwn(conditions, text))
    problems.error(
      value,
      'a condition stands on a line of its own',
      `write \`condition: ${text}\` under the name`,
    )
  else entriesOf(value, problems)
}

function conditionOf(node: Node | undefined, problems: Problems): Dependency['condition'] {
  const text = textOf(node, problems)
  if (node === undefined || text === null) return 'started'
  const condition = Object.hasOwn(conditions, text) ? conditions[text] : undefined
  if (condition === undefined) {
    const known = Object.keys(conditions)
    problems.error(node, `${shown(node)} is not a condition`, () =>
      respelling(text, known, `use one of: ${known.join(', ')}`),
    )
  }
  return condition ?? 'started'
}

const address = /^(\d{1,3}(\.\d{1,3}){3}|\[?(?=[^:]*:)[0-9a-fA-F:.]{2,45}\]?)$/

/** Reads `extra_hosts:`, of a process or of a build, in both syntaxes. */
export function extraHostsOf(
  node: Node | undefined,
  problems: Problems,
  allowsGateway: (at: Node) => boolean = (at) => refuseGateway(at, problems),
): { host: string; address: string }[] {
  const given = node?.kind === 'map' ? fromMap(node, problems) : fromList(node, problems)
  return given.flatMap(({ host, text, at }) => {
    if (text === hostGateway) return allowsGateway(at) ? [{ host, address: hostGateway }] : []
    if (host === '' || /\s/.test(host) || !address.test(text)) {
      problems.error(at, `${shown(at)} is not a host and an address`, 'write "host:10.0.0.1"')
    } else {
      return [{ host, address: text.replace(/^\[|\]$/g, '') }]
    }
    return []
  })
}

/** The engine fills in the address of the machine. */
const hostGateway = 'host-gateway'

function refuseGateway(at: Node, problems: Problems): boolean {
  problems.error(
    at,
    'host-gateway is refused: in a build the machine of its rack has no name',
    'name an address that does not depend on the machine',
  )
  return false
}

/** Whether the machine of the rack may have a name inside a process. */
export function mayNameMachine(at: Node, { features, policy, problems }: Asking): boolean {
  if (!isThere(features.hostGateway, at, hostGateway, problems)) return false
  if (!policy.hostGateway && !policy.privileged)
    problems.policy(
      at,
      "host-gateway leads to what listens on the machine itself, and the rack's policy does not allow that",
      'allow it with `rack policy set --allow-host-gateway`, or for a new rack `rack install --allow-host-gateway`',
    )
  return true
}

interface GivenHost {
  host: string
  text: string
  at: Node
}

function fromMap(node: Node, problems: Problems): GivenHost[] {
  return entriesOf(node, problems).flatMap(([host, { value }]) =>
    itemsOf(value, problems, true).map((at) => ({ host, text: textOf(at, problems) ?? '', at })),
  )
}

function fromList(node: Node | undefined, problems: Problems): GivenHost[] {
  return itemsOf(node, problems).map((at) => {
    const text = textOf(at, problems) ?? ''
    const separator = text.search(/[=:]/)
    return { host: text.slice(0, Math.max(separator, 0)), text: text.slice(separator + 1), at }
  })
}
