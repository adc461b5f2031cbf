import type { FileMount } from '../../domain/container.ts'
import type { ManifestSource, ProcessType } from '../../domain/manifest.ts'
import { strictPolicy } from '../../domain/policy.ts'
import type { ReadOptions } from '../load-tree.ts'
import type { Problems } from '../problems.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import { childOf, isEmpty, type Entry, type MapNode } from '../syntax/tree.ts'
import { buildOf, imageOf } from './build.ts'
import { containerOptionsOf } from './container/container-options.ts'
import type { Declarations } from './declarations.ts'
import { environmentOf } from './environment.ts'
import { fileMountsOf } from './files/file-mounts.ts'
import { withLabelFiles } from './files/label-files.ts'
import type { VariableFiles } from './files/variable-files.ts'
import { labelsOf } from './labels/labels.ts'
import { healthcheckOf, restartOf, stopGraceMsOf, stopSignalOf, workingDirOf } from './lifecycle.ts'
import { checkLogging } from './container/logging.ts'
import { volumesFromOf, type VolumesFrom } from './mounts/volumes-from.ts'
import { networkingOf } from './networks.ts'
import { exposeOf, portsOf, type PlacedPort } from './ports.ts'
import { dependenciesOf, extraHostsOf, linksOf, type FileDependency, type Placed } from './relations.ts'
import { formationOf } from './resources.ts'
import { servingOf } from './labels/serving.ts'
import { checkShapes } from './values/shapes.ts'
import { booleanOf, textOf } from './values/values.ts'
import { mountsOf } from './mounts/volumes.ts'
import { commandOf } from './values/words.ts'

/** A process type with the places that checks across types point at. */
export interface PlacedProcess {
  type: ProcessType
  entry: Entry
  ports: PlacedPort[]
  links: Placed<ProcessType['links'][number]>[]
  dependencies: Placed<FileDependency>[]
  /** What `volumes_from:` names; its mounts are not among the type's own yet. */
  volumesFrom: Placed<VolumesFrom>[]
  files: Placed<FileMount>[]
  networks: Placed<string>[]
  hostNames: Placed<string>[]
  /** False when `restart` was left out. */
  namesRestart: boolean
}

export interface ProcessContext {
  source: ManifestSource
  variableFiles: VariableFiles
  lookup: Lookup
  declared: Declarations
  options: ReadOptions
  problems: Problems
}

/** Reads one entry of `services:` into its canonical form. */
export function processOf(
  name: string,
  entry: Entry,
  service: MapNode,
  context: ProcessContext,
): PlacedProcess {
  const { problems } = context
  const labels = labelsOf(withLabelFiles(service, context), problems)
  const placedPorts = portsOf(childOf(service, 'ports'), problems)
  const expose = exposeOf(childOf(service, 'expose'), problems)
  const serving = servingOf({ service, labels, ports: placedPorts, expose }, problems)
  const links = linksOf(service, problems)
  const dependencies = dependenciesOf(service, problems)
  const restart = restartOf(service, problems)
  const surroundings = surroundingsOf(name, service, context)
  const type: ProcessType = {
    name,
    ...imageSourceOf(name, entry, service, problems),
    expose,
    links: links.map(({ value }) => value),
    dependsOn: dependencies.map(({ value: { target, condition, restart: isTied } }) => ({
      target,
      condition,
      restart: isTied,
    })),
    labels: labels.own,
    environment: environmentOf(service, context),
    mounts: surroundings.mounts,
    formation: formationOf(service, problems),
    restart: restart ?? 'always',
    ...serving,
    ...surroundings.type,
    ...startOf(service, problems),
  }
  const portsAt = placedPorts.map(({ at, port }, index) => ({ at, port: serving.ports[index] ?? port }))
  const namesRestart = restart !== null
  return { type, entry, ports: portsAt, links, dependencies, ...surroundings.placed, namesRestart }
}

/** What is around a process: its names, its files and its container. */
function surroundingsOf(name: string, service: MapNode, context: ProcessContext) {
  const { source, lookup, declared, options, problems } = context
  const { configs, secrets } = declared
  const policy = options.policy ?? strictPolicy
  const isLenient = options.lenientVariables ?? false
  const { networks, hostNames } = networkingOf(service, declared.networks, problems)
  const files = fileMountsOf(service, { source, lookup, isLenient, problems, configs, secrets })
  checkShapes(service, problems)
  checkLogging(service, problems)
  const names = new Set(hostNames.map(({ value }) => value))
  return {
    mounts: mountsOf(service, { declared: declared.volumes, policy, problems }),
    placed: { networks, hostNames, files, volumesFrom: volumesFromOf(service, problems) },
    type: {
      hostNames: [...names].filter((one) => one !== name),
      files: files.map(({ value }) => value),
      container: containerOptionsOf(service, { policy, problems }),
    },
  }
}

/** Where the image of a process comes from. */
function imageSourceOf(name: string, entry: Entry, service: MapNode, problems: Problems) {
  const build = buildOf(service, problems)
  const image = imageOf(childOf(service, 'image'), problems)
  const makers = ['image', 'build', 'extends'].flatMap((key) => childOf(service, key) ?? [])
  if (makers.every((node) => node.kind === 'scalar' && isEmpty(node)))
    problems.error(
      entry.key,
      `the process "${name}" has neither \`image\` nor \`build\``,
      'write `build: .` or `image: NAME`',
    )
  return { build, image }
}

/** What the process of a copy is started with, and how it ends. */
function startOf(service: MapNode, problems: Problems) {
  return {
    command: commandOf(childOf(service, 'command'), problems),
    entrypoint: commandOf(childOf(service, 'entrypoint'), problems),
    healthcheck: healthcheckOf(service, problems),
    stopGraceMs: stopGraceMsOf(service, problems),
    stopSignal: stopSignalOf(service, problems),
    user: textOf(childOf(service, 'user'), problems) || null,
    workingDir: workingDirOf(service, problems),
    init: booleanOf(childOf(service, 'init'), problems) ?? false,
    extraHosts: extraHostsOf(childOf(service, 'extra_hosts'), problems),
  }
}
