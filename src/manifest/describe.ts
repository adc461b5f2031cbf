import { aliasesOf, hostsOf } from '../domain/plan.ts'
import type { Formation, ManifestSource, Problem, ProcessType } from '../domain/manifest.ts'
import type { Port } from '../domain/port.ts'
import type { ReadOptions } from './load-tree.ts'
import { readWithRulings } from './read-manifest.ts'
import type { Ruling } from './verdicts/check-keys.ts'
import type { Verdict } from './verdicts/verdict.ts'

/** All that `rack manifest check` has to say. */
export interface ManifestReport {
  isValid: boolean
  problems: Problem[]
  /** Every key of the file in its order, and what a rack does with it. */
  verdicts: Ruling[]
  counts: Record<Verdict, number>
  /** Empty when the file is not valid. */
  processes: ProcessSummary[]
  volumes: string[]
}

/** A process type in short. */
export interface ProcessSummary extends Formation {
  name: string
  image: string | null
  build: string | null
  ports: Pick<Port, 'external' | 'container' | 'protocol'>[]
  /** Host names by which the world reaches its http port. */
  hosts: string[]
  /** Host names by which the other processes of the app reach it. */
  names: string[]
  /** What each link is called, and one of the variables that it sets. */
  links: { target: string; host: string; variable: string }[]
  /** Variables without a value: the environment of the app must have them. */
  required: string[]
  volumes: { name: string; path: string }[]
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
    isValid: manifest !== null,
    problems,
    verdicts: rulings,
    counts,
    processes: manifest?.processes.map((type, _, types) => summaryOf(type, types, place)) ?? [],
    volumes: manifest?.volumes ?? [],
  }
}

function summaryOf(type: ProcessType, types: ProcessType[], place: AppPlace): ProcessSummary {
  return {
    name: type.name,
    image: type.image,
    build: type.build?.context ?? null,
    ...type.formation,
    ports: type.ports.map(({ external, container, protocol }) => ({ external, container, protocol })),
    hosts: hostsOf(place, type, types),
    names: aliasesOf(type.name, types),
    links: type.links.map(({ target, alias }) => ({
      target,
      host: alias,
      variable: `${variablePrefix(alias)}_URL`,
    })),
    required: type.environment.filter(({ value }) => value === null).map(({ name }) => name),
    volumes: type.mounts.flatMap((mount) =>
      mount.kind === 'volume' ? [{ name: mount.volume, path: mount.path }] : [],
    ),
  }
}

function variablePrefix(alias: string): string {
  return alias.toUpperCase().replaceAll('-', '_')
}
