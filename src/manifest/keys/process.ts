import type { FileMount, TypeMount } from '../../domain/container.ts'
import type { ManifestSource, NamedContext, ProcessType } from '../../domain/manifest.ts'
import { strictPolicy } from '../../domain/policy.ts'
import type { ReadOptions } from '../load-tree.ts'
import type { Problems } from '../problems.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import { childOf, isEmpty, keyNode, type Entry, type MapNode, type Node } from '../syntax/tree.ts'
import { namedContextsOf } from './build/build-contexts.ts'
import { buildSecretsOf, type BuildSecretContext } from './build/build-secrets.ts'
import { buildOf, imageOf } from './build/build.ts'
import { containerOptionsOf } from './container/container-options.ts'
import type { Asking } from './container/privileges.ts'
import type { Declarations } from './declarations.ts'
import { environmentOf } from './environment.ts'
import { fileMountsOf } from './files/file-mounts.ts'
import { withLabelFiles } from './files/label-files.ts'
import type { VariableFiles } from './files/variable-files.ts'
import { labelsOf, type Labels } from './labels/labels.ts'
import { labelledPorts } from './labels/port-labels.ts'
import { mountChoicesOf } from './labels/mount-choices.ts'
import { fixedAddressesOf } from './fixed-addresses.ts'
import { healthcheckOf, restartOf, stopGraceMsOf, stopSignalOf, workingDirOf } from './lifecycle.ts'
import { ulimitsOf } from './container/limits.ts'
import { checkLogging } from './container/logging.ts'
import { volumesFromOf, type VolumesFrom } from './mounts/volumes-from.ts'
import { networkingOf, type PlacedAlias } from './networks.ts'
import type { ProcessName } from './process-name.ts'
import { pullPolicyOf } from './pull-policy.ts'
import { exposeOf, portsOf, type PlacedPort } from './ports.ts'
import {
  dependenciesOf,
  extraHostsOf,
  linksOf,
  mayNameMachine,
  type FileDependency,
  type Placed,
} from './relations.ts'
import { formationOf } from './resources.ts'
import { servingOf } from './labels/serving.ts'
import { checkShapes } from './values/shapes.ts'
import { booleanOf, textOf } from './values/values.ts'
import type { Mounted } from './mounts/relative-bind.ts'
import { mountsOf } from './mounts/volumes.ts'
import { commandOf } from './values/words.ts'

/** A process type with the places that checks across types point at. */
export interface PlacedProcess {
  type: ProcessType
  entry: Entry
  ports: PlacedPort[]
  /** External ports of which a label says what they speak. */
  labelledPorts: Set<number>
  links: Placed<ProcessType['links'][number]>[]
  dependencies: Placed<FileDependency>[]
  /** What `volumes_from:` names; its mounts are not among the type's own yet. */
  volumesFrom: Placed<VolumesFrom>[]
  files: Placed<FileMount>[]
  /** Its own, without those that it takes from other processes. */
  mounts: Placed<TypeMount>[]
  networks: Placed<string>[]
  aliases: PlacedAlias[]
  contexts: Placed<NamedContext>[]
  hostNames: Placed<string>[]
  /** Addresses that the file gives it. */
  addresses: Placed<string>[]
  /** Where `restart` is written; null when it was left out. */
  restartAt: Node | null
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
  called: ProcessName,
  entry: Entry,
  service: MapNode,
  context: ProcessContext,
): PlacedProcess {
  const { problems } = context
  const { name } = called
  const { features, policy = strictPolicy } = context.options
  const labels = labelsOf(withLabelFiles(service, context), features, problems)
  const placedPorts = portsOf(childOf(service, 'ports'), features, problems)
  const expose = exposeOf(childOf(service, 'expose'), problems)
  const serving = servingOf({ service, labels, ports: placedPorts, expose }, features, problems)
  const links = linksOf(service, problems)
  const dependencies = dependenciesOf(service, problems)
  const restart = restartOf(service, problems)
  const contexts = namedContextsOf(service, problems)
  const placement = placementOf(called, { entry, service, labels }, context)
  const type: ProcessType = {
    name,
    ...imageSourceOf(name, { entry, service, contexts }, context),
    expose,
    links: links.map(({ value }) => value),
    dependsOn: dependencies.map(({ value: { target, condition, restart: isTied } }) => ({
      target,
      condition,
      restart: isTied,
    })),
    labels: labels.own,
    environment: environmentOf(service, context),
    formation: formationOf(service, features, problems),
    restart: restart?.value ?? 'always',
    ...serving,
    ...placement.type,
    ...startOf(service, { features, policy, problems }),
  }
  const portsAt = placedPorts.map(({ at, port }, index) => ({ at, port: serving.ports[index] ?? port }))
  return {
    type,
    entry,
    ports: portsAt,
    labelledPorts: labelledPorts(labels),
    links,
    dependencies,
    ...placement.placed,
    restartAt: restart?.at ?? null,
    contexts,
  }
}

/** What is mounted into a process, and the files that are put there. */
function mountedOf(service: MapNode, labels: Labels, context: ProcessContext) {
  const { source, lookup, declared, options, problems } = context
  const { configs, secrets, volumes, bindVolumes } = declared
  const { features, policy = strictPolicy, lenientVariables: isLenient = false } = options
  const files = fileMountsOf(service, { source, lookup, isLenient, features, problems, configs, secrets })
  const mounted = mountsOf(service, {
    // A volume that is a path is none of the app's.
    declared: volumes && volumes.difference(new Set(bindVolumes.keys())),
    bindVolumes,
    places: source.places ?? {},
    contents: source.contents,
    choices: mountChoicesOf(labels),
    features,
    policy,
    problems,
  })
  const mounts = mounted.filter((one): one is Placed<TypeMount> => !isFile(one))
  return { mounts, files: [...files, ...mounted.filter(isFile)] }
}

function isFile(mounted: Placed<Mounted>): mounted is Placed<FileMount> {
  return mounted.value.kind === 'config' || mounted.value.kind === 'secret'
}

/** What is around a process: its names, its files and its container. */
function placementOf(
  { name, written }: ProcessName,
  { entry, service, labels }: { entry: Entry; service: MapNode; labels: Labels },
  context: ProcessContext,
) {
  const { declared, options, problems } = context
  const { features, policy = strictPolicy } = options
  const { networks, hostNames: given, aliases } = networkingOf(service, declared.networks, problems)
  const own = written === name ? [] : [{ value: written, at: keyNode(written, entry.key) }]
  const hostNames = [...own, ...given]
  const { files, mounts } = mountedOf(service, labels, context)
  checkShapes(service, problems)
  checkLogging(service, problems)
  // Where networks keep processes apart, aliases go to theirs: `across/networks.ts`.
  const names = new Set([...hostNames, ...aliases].map(({ value }) => value))
  return {
    placed: {
      networks,
      aliases,
      hostNames,
      files,
      mounts,
      addresses: fixedAddressesOf(service, problems),
      volumesFrom: volumesFromOf(service, problems),
    },
    type: {
      mounts: mounts.map(({ value }) => value),
      hostNames: [...names].filter((one) => one !== name),
      files: files.map(({ value }) => value),
      container: containerOptionsOf(service, { features, policy, problems }),
    },
  }
}

/** Where the image of a process comes from. */
function imageSourceOf(
  name: string,
  { entry, service, contexts }: { entry: Entry; service: MapNode; contexts: Placed<NamedContext>[] },
  { source, lookup, declared, options, problems }: ProcessContext,
) {
  const plain = buildOf(service, problems)
  const isLenient = options.lenientVariables ?? false
  const secrets: BuildSecretContext = {
    source,
    lookup,
    isLenient,
    isBeforeBuild: options.isBeforeBuild ?? false,
    problems,
    secrets: declared.secrets,
  }
  const { features, policy = strictPolicy } = options
  const ulimits = ulimitsOf(childOf(childOf(service, 'build'), 'ulimits'), { features, policy, problems })
  const named = contexts.map(({ value }) => value)
  const build = plain && { ...plain, contexts: named, ulimits, ...buildSecretsOf(service, secrets) }
  const image = imageOf(childOf(service, 'image'), options, problems)
  const makers = ['image', 'build', 'extends'].flatMap((key) => childOf(service, key) ?? [])
  if (makers.every((node) => node.kind === 'scalar' && isEmpty(node)))
    problems.error(
      entry.key,
      `the process "${name}" has neither \`image\` nor \`build\``,
      'write `build: .` or `image: NAME`',
    )
  return { build, image, pullPolicy: pullPolicyOf(service, problems) }
}

/** What the process of a copy is started with, and how it ends. */
function startOf(service: MapNode, asking: Asking) {
  const { features, problems } = asking
  return {
    command: commandOf(childOf(service, 'command'), problems),
    entrypoint: commandOf(childOf(service, 'entrypoint'), problems),
    healthcheck: healthcheckOf(service, features, problems),
    stopGraceMs: stopGraceMsOf(service, features, problems),
    stopSignal: stopSignalOf(service, problems),
    user: textOf(childOf(service, 'user'), problems) || null,
    workingDir: workingDirOf(service, problems),
    init: booleanOf(childOf(service, 'init'), problems) ?? false,
    extraHosts: extraHostsOf(childOf(service, 'extra_hosts'), problems, (at) => mayNameMachine(at, asking)),
  }
}
