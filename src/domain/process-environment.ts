import { ownOf } from '../lib/own-of.ts'
import type { BuiltImages } from './build.ts'
import { declaredFor, linkedFor } from './declared-variables.ts'
import { resolveEnvironment, type Environment, type ResolvedVariable } from './environment.ts'
import { linkAddress, linkVariables, type LinkAddress } from './link.ts'
import { serviceVariables } from './link-reach.ts'
import type { Manifest, ProcessType } from './manifest.ts'
import type { PlanInput } from './plan-input.ts'
import { internalPorts } from './process-ports.ts'
import { standIns, startedTypes } from './service-link.ts'

/** Names that no compose file or app environment can change. */
export const rackVariableNames = ['RACK', 'APP', 'PROCESS', 'RELEASE', 'BUILD', 'PORT'] as const

/** The final variables of a process type, each with its origin: concepts.md's precedence, lowest first. */
export function processEnvironment(input: PlanInput, type: ProcessType): ResolvedVariable[] {
  const compose = valuesOf(type)
  const firstPort = type.ports[0]?.container
  return resolveEnvironment({
    compose,
    'process link': linkedFor(type, processLinkVariables(input, type)),
    'service link': linkedFor(type, serviceVariables(input.services, type)),
    app: declaredFor(type, input.environment),
    rack: {
      RACK: input.rack,
      APP: input.app,
      PROCESS: type.name,
      RELEASE: input.release,
      BUILD: input.build,
      ...(firstPort === undefined ? {} : { PORT: String(firstPort) }),
    },
  })
}

function processLinkVariables(input: PlanInput, type: ProcessType): Environment {
  const variables = processLinks(input, type).map(({ alias, address }) => linkVariables(alias, address))
  return Object.assign({}, ...variables) as Environment
}

/** Names of the required variables that nothing supplies, by process type. Empty when a promote may go on. */
export function missingVariables(input: PlanInput): Record<string, string[]> {
  const missing: Record<string, string[]> = {}
  for (const type of startedTypes(input.manifest, input.services)) {
    const present = new Set(processEnvironment(input, type).map(({ name }) => name))
    const names = type.environment.filter(({ name, value }) => value === null && !present.has(name))
    if (names.length > 0) missing[type.name] = names.map(({ name }) => name).sort()
  }
  return missing
}

/** Links to a process that neither the file nor its image gives a port, as `web → db`. */
export function linksToNowhere({ processes }: Manifest, images: BuiltImages): string[] {
  const portless = processes.filter((type) => {
    const image = ownOf(images, type.name)
    const named = valuesOf(type)['LINK_PORT'] ?? image?.link['LINK_PORT']
    return named === undefined && internalPorts(type, image?.exposed ?? []).length === 0
  })
  const names = new Set(portless.map(({ name }) => name))
  return processes.flatMap(({ name, links }) =>
    links.flatMap(({ target }) => (names.has(target) ? [`${name} → ${target}`] : [])),
  )
}

/** Where the links of a type to others of its app lead; one to a stand-in leads to a service, and is none of them. */
export function processLinks(
  input: PlanInput,
  type: ProcessType,
): { alias: string; target: string; address: LinkAddress }[] {
  const replaced = standIns(input.services)
  return type.links.flatMap(({ target, alias }) => {
    const linked = input.manifest.processes.find(({ name }) => name === target)
    if (!linked || replaced.has(target)) return []
    const image = ownOf(input.images, target)
    const port = internalPorts(linked, image?.exposed ?? [])[0] ?? 0
    const link = { ...ownOf(input.ownLinks ?? {}, target), ...image?.link }
    const address = linkAddress(alias, valuesOf(linked), link, port)
    return [{ alias, target, address }]
  })
}

/** The variables that a file gives a type with a value. */
export function valuesOf(type: ProcessType): Environment {
  const values = type.environment.flatMap(({ name, value }) =>
    value === null ? [] : [[name, value] as const],
  )
  return Object.fromEntries(values)
}
