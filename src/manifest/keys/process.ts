import { plainContainer } from '../../domain/container.ts'
import type { ManifestSource, ProcessType } from '../../domain/manifest.ts'
import type { Problems } from '../problems.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import { childOf, type Entry, type MapNode } from '../syntax/tree.ts'
import { buildOf, imageOf } from './build.ts'
import { environmentOf } from './environment.ts'
import { labelsOf } from './labels.ts'
import { healthcheckOf, restartOf, stopGraceMsOf, stopSignalOf, workingDirOf } from './lifecycle.ts'
import { exposeOf, portsOf, type PlacedPort } from './ports.ts'
import { dependenciesOf, extraHostsOf, linksOf, type FileDependency, type Placed } from './relations.ts'
import { formationOf } from './resources.ts'
import { servingOf } from './serving.ts'
import { booleanOf, textOf } from './values.ts'
import { mountsOf, type Declared } from './volumes.ts'
import { commandOf } from './words.ts'

/** A process type with the places that checks across types point at. */
export interface PlacedProcess {
  type: ProcessType
  entry: Entry
  ports: PlacedPort[]
  links: Placed<ProcessType['links'][number]>[]
  dependencies: Placed<FileDependency>[]
  /** False when `restart` was left out. */
  namesRestart: boolean
}

export interface ProcessContext {
  source: ManifestSource
  lookup: Lookup
  declared: Declared
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
  const labels = labelsOf(service, problems)
  const placedPorts = portsOf(childOf(service, 'ports'), problems)
  const expose = exposeOf(childOf(service, 'expose'), problems)
  const serving = servingOf({ service, labels, ports: placedPorts, expose }, problems)
  const links = linksOf(service, problems)
  const dependencies = dependenciesOf(service, problems)
  const restart = restartOf(service, problems)
  const build = buildOf(service, problems)
  const image = imageOf(childOf(service, 'image'), problems)
  const namesImage = childOf(service, 'image') ?? childOf(service, 'build') ?? childOf(service, 'extends')
  if (!namesImage)
    problems.error(
      entry.key,
      `the process "${name}" has neither \`image\` nor \`build\``,
      'write `build: .` or `image: NAME`',
    )
  const type: ProcessType = {
    name,
    build,
    image,
    expose,
    links: links.map(({ value }) => value),
    dependsOn: dependencies.map(({ value: { target, condition, restart: isTied } }) => ({
      target,
      condition,
      restart: isTied,
    })),
    labels: labels.own,
    environment: environmentOf(service, context.source, context.lookup, problems),
    mounts: mountsOf(service, context.declared, problems),
    formation: formationOf(service, problems),
    restart: restart ?? 'always',
    ...serving,
    ...containerOf(service, problems),
  }
  const portsAt = placedPorts.map(({ at, port }, index) => ({ at, port: serving.ports[index] ?? port }))
  return { type, entry, ports: portsAt, links, dependencies, namesRestart: restart !== null }
}

/** What the container of a copy is started with. */
function containerOf(service: MapNode, problems: Problems) {
  return {
    hostNames: [],
    files: [],
    container: plainContainer,
    command: commandOf(childOf(service, 'command'), problems),
    entrypoint: commandOf(childOf(service, 'entrypoint'), problems),
    healthcheck: healthcheckOf(service, problems),
    stopGraceMs: stopGraceMsOf(service, problems),
    stopSignal: stopSignalOf(service, problems),
    user: textOf(childOf(service, 'user'), problems) || null,
    workingDir: workingDirOf(service, problems),
    init: booleanOf(childOf(service, 'init'), problems) ?? false,
    extraHosts: extraHostsOf(service, problems),
  }
}
