import type { Manifest, ManifestSource, Problem } from '../domain/manifest.ts'
import type { Across } from './across/across.ts'
import { crossChecks } from './across/cross-checks.ts'
import { declarationsOf } from './keys/declarations.ts'
import { checkProcessName } from './keys/process-name.ts'
import { processOf, type PlacedProcess } from './keys/process.ts'
import { Problems } from './problems.ts'
import { activeProfiles, isActive } from './profiles.ts'
import { childOf, shown, type Entry, type MapNode } from './syntax/tree.ts'
import { loadTree, type LoadedTree, type ReadOptions } from './load-tree.ts'
import type { Ruling } from './verdicts/check-keys.ts'

export interface ManifestReading {
  /** Null exactly when a problem is an error. */
  manifest: Manifest | null
  /** All of them, by position. */
  problems: Problem[]
}

/** Reads compose files into a manifest, or says everything that is wrong with them. Pure and total: it never throws. */
export function readManifest(source: ManifestSource, options: ReadOptions): ManifestReading {
  const { manifest, problems } = readWithRulings(source, options)
  return { manifest, problems }
}

/** `readManifest`, and what became of every key. */
export function readWithRulings(
  source: ManifestSource,
  options: ReadOptions,
): ManifestReading & { rulings: Ruling[] } {
  const problems = new Problems()
  const { tree, rulings } = loadTree(source, options, problems)
  const manifest = tree ? manifestOf(tree, source, options, problems) : null
  const sorted = problems.sorted(source.files.map(({ path }) => path))
  return { manifest: problems.hasErrors ? null : manifest, problems: sorted, rulings }
}

function manifestOf(
  loaded: LoadedTree,
  source: ManifestSource,
  options: ReadOptions,
  problems: Problems,
): Manifest {
  const declared = declarationsOf(loaded, problems)
  const active = activeProfiles(loaded.lookup)
  const { lookup, variableFiles } = loaded
  const context = { source, variableFiles, lookup, declared, options, problems }
  const { processes, leftOut } = readProcesses(
    loaded.services,
    { problems, active },
    (name, entry, service) => processOf(name, entry, service, context),
  )
  const across: Across = { processes, leftOut, problems }
  for (const check of crossChecks) check(across)
  const mounted = processes.flatMap(({ type }) =>
    type.mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : [])),
  )
  return { processes: processes.map(({ type }) => type), volumes: [...new Set(mounted)].sort() }
}

type Read = (name: string, entry: Entry, service: MapNode) => PlacedProcess

function readProcesses(
  services: MapNode,
  { problems, active }: { problems: Problems; active: Set<string> },
  read: Read,
) {
  const processes: PlacedProcess[] = []
  const leftOut = new Set<string>()
  for (const [name, entry] of services.entries) {
    checkProcessName(name, entry, services.entries, problems)
    const { value } = entry
    if (value.kind !== 'map') {
      problems.error(
        entry.key,
        `the process "${name}" must be a mapping, but is ${shown(value)}`,
        'write its keys indented under it',
      )
      continue
    }
    if (isActive(name, childOf(value, 'profiles'), active, problems)) processes.push(read(name, entry, value))
    else leftOut.add(name)
  }
  if (processes.length === 0 && !problems.hasErrors) problems.error(services, 'no process is left to run')
  return { processes, leftOut }
}
