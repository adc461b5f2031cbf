import { bindsOf, isLaidOver, type BuiltBind } from '../domain/binds.ts'
import type { EngineFeatures, EngineName } from '../domain/features.ts'
import { gapText, stopsFirst } from '../domain/overlap.ts'
import { namesOf } from '../domain/names-inside.ts'
import { hostsOf } from '../domain/plan.ts'
import type {
  Formation,
  Manifest,
  ManifestSource,
  Network,
  Problem,
  ProcessType,
} from '../domain/manifest.ts'
import { buildsByType } from '../domain/image-name.ts'
import type { Port } from '../domain/port.ts'
import type { Timer } from '../domain/timer.ts'
import { isAloneWithVolume } from '../domain/written-volumes.ts'
import type { ReadOptions } from './load-tree.ts'
import { readWithRulings } from './read-manifest.ts'
import type { Ruling } from './verdicts/check-keys.ts'
import type { Verdict } from './verdicts/verdict.ts'

/** All that `rack manifest check` has to say. */
export interface ManifestReport {
  /** For which the file was read. */
  engine: EngineName
  isValid: boolean
  problems: Problem[]
  /** Every key of the file in its order, and what a rack does with it. */
  verdicts: Ruling[]
  counts: Record<Verdict, number>
  /** Empty when the file is not valid. */
  processes: ProcessSummary[]
  volumes: string[]
  /** Those that keep processes apart, or in; none where all share one. */
  networks: NetworkSummary[]
}

export interface NetworkSummary extends Network {
  /** Who is on it. */
  processes: string[]
}

/** A process type in short. */
export interface ProcessSummary extends Formation {
  name: string
  image: string | null
  build: string | null
  ports: Pick<Port, 'external' | 'container' | 'protocol' | 'isLocal'>[]
  /** Host names by which the world reaches its http port. */
  hosts: string[]
  /** Host names by which the other processes of the app reach it. */
  names: string[]
  /** What each link is called, and one of the variables that it sets. */
  links: { target: string; host: string; variable: string }[]
  /** Variables without a value: the environment of the app must have them. */
  required: string[]
  volumes: { name: string; path: string }[]
  timers: Timer[]
  /** Said where a copy stops before its successor starts; null where they overlap. */
  gap: string | null
  /** What each path from the compose file becomes. */
  binds: BindSummary[]
}

export interface BindSummary extends BuiltBind {
  /** The volume that it becomes; null for a part of the release. */
  volume: string | null
  /** True for content that hides nothing of what the image has at its path. */
  isLaidOver: boolean
  /** True for a volume that gets what the source has when it is new. */
  isFilled: boolean
}

/** Where an app will be: host names are made of it. */
export interface AppPlace {
  app: string
  domain: string
}

/** Reads a manifest and tells what became of every key. Pure and total. */
export function describeManifest(
  source: ManifestSource,
  options: ReadOptions,
  place: AppPlace = { app: 'APP', domain: 'DOMAIN' },
): ManifestReport {
  const { manifest, problems, rulings } = readWithRulings(source, options)
  const counts: Record<Verdict, number> = { honoured: 0, translated: 0, ignored: 0, refused: 0 }
  for (const { verdict } of rulings) counts[verdict] += 1
  return {
    engine: options.features.name,
    isValid: manifest !== null,
    problems,
    verdicts: rulings,
    counts,
    processes: (manifest?.processes ?? []).map((type, _, types) => ({
      ...summaryOf(type, types, place),
      gap: gapOf(type, options.features),
    })),
    volumes: manifest?.volumes ?? [],
    networks: manifest ? networksOf(manifest) : [],
  }
}

function networksOf({ processes, networks = [] }: Manifest): NetworkSummary[] {
  const isOn = ({ isolation }: ProcessType, name: string) =>
    isolation?.networks.some((network) => network.name === name) ?? false
  return networks.map((network) => ({
    ...network,
    processes: processes.filter((type) => isOn(type, network.name)).map(({ name }) => name),
  }))
}

function summaryOf(type: ProcessType, types: ProcessType[], place: AppPlace): Omit<ProcessSummary, 'gap'> {
  return {
    name: type.name,
    image: type.image,
    build: type.build && (type.build.repository ?? type.build.context),
    ...type.formation,
    ports: type.ports.map(({ proxy: _proxy, secure: _secure, upstream: _upstream, ...port }) => port),
    hosts: hostsOf(place, type, types),
    names: namesOf(type, types),
    links: type.links.map(({ target, alias }) => ({
      target,
      host: alias,
      variable: `${variablePrefix(alias)}_URL`,
    })),
    required: type.environment.filter(({ value }) => value === null).map(({ name }) => name),
    volumes: type.mounts.flatMap((mount) =>
      mount.kind === 'volume' ? [{ name: mount.volume, path: mount.path }] : [],
    ),
    timers: type.timers,
    binds: bindsOf(type.mounts).map((bind) => bindSummary(bind, type, types)),
  }
}

function bindSummary(bind: BuiltBind, type: ProcessType, types: ProcessType[]): BindSummary {
  const mount = type.mounts.find(({ path }) => path === bind.path)
  const build = buildsByType(types).get(type.name) ?? null
  return {
    ...bind,
    volume: mount?.kind === 'volume' ? mount.volume : null,
    isLaidOver: mount?.kind === 'release' && mount.holds === 'folder' && isLaidOver(bind.source, build),
    isFilled: mount?.kind === 'volume' && 'source' in mount && mount.isFilled,
  }
}

/** Of a type of several copies only the first deploy of them, and the last, may have one. */
function gapOf(type: ProcessType, { heldRequests }: EngineFeatures): string | null {
  const { name, mounts, formation, ports, health, healthcheck } = type
  const isStopped = stopsFirst(
    { stopFirst: isAloneWithVolume(type), count: formation.count },
    formation.count,
  )
  return isStopped
    ? gapText({
        type: name,
        mounts,
        ports,
        health,
        healthcheck,
        holdMs: heldRequests === true ? type.holdMs : 0,
      })
    : null
}

function variablePrefix(alias: string): string {
  return alias.toUpperCase().replaceAll('-', '_')
}
