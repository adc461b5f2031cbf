import type { Manifest, ManifestSource, Problem } from '../domain/manifest.ts'
import { strictPolicy } from '../domain/policy.ts'
import type { Across } from './across/across.ts'
import { crossChecks } from './across/cross-checks.ts'
import { networksInUse } from './across/networks.ts'
import type { ProposedFix } from './fix/fix.ts'
import { declarationsOf } from './keys/declarations.ts'
import { readProcessName, type ProcessName } from './keys/process-name.ts'
import { processOf, type PlacedProcess } from './keys/process.ts'
import { Problems } from './problems.ts'
import { activeProfiles, isActive, profilesVariable } from './profiles.ts'
import { itemsOf, textOf } from './keys/values/values.ts'
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

/** `readManifest`, what became of every key, and how the files are mended. */
export function readWithRulings(
  source: ManifestSource,
  options: ReadOptions,
): ManifestReading & { rulings: Ruling[]; fixes: ProposedFix[] } {
  const problems = new Problems()
  const { tree, rulings } = loadTree(source, options, problems)
  const manifest = tree ? manifestOf(tree, source, options, problems) : null
  const sorted = problems.sorted(source.files.map(({ path }) => path))
  return { manifest: problems.hasErrors ? null : manifest, problems: sorted, rulings, fixes: problems.fixes }
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
    { problems, active, isBeforeBuild: options.isBeforeBuild },
    (called, entry, service) => processOf(called, entry, service, context),
  )
  const { features, policy = strictPolicy } = options
  const { externalVolumes, externalNetworks, internalNetworks } = declared
  const externals = { externalVolumes, externalNetworks, internalNetworks }
  const across: Across = { processes, leftOut, features, policy, ...externals, problems }
  for (const check of crossChecks) check(across)
  const mounted = processes.flatMap(({ type }) =>
    type.mounts.flatMap((mount) => (mount.kind === 'volume' && !mount.external ? [mount.volume] : [])),
  )
  const types = processes.map(({ type }) => type)
  return {
    processes: types,
    volumes: [...new Set(mounted)].sort(),
    ...networksInUse(types, internalNetworks),
  }
}

/** Every process names a profile, and none of them is on. */
function rejectEmpty(services: MapNode, severity: Problem['severity'], problems: Problems): void {
  const [first] = services.entries.values()
  const named = first && itemsOf(childOf(first.value, 'profiles'), problems)[0]
  problems.variable(
    services,
    severity,
    'no process is left to run: none of their profiles is on',
    `choose what runs: rack env set ${profilesVariable}=${(named && textOf(named, problems)) ?? 'NAME'}`,
  )
}

type Read = (called: ProcessName, entry: Entry, service: MapNode) => PlacedProcess

interface Profiled extends Pick<ReadOptions, 'isBeforeBuild'> {
  problems: Problems
  /** The profiles that are on. */
  active: Set<string>
}

function readProcesses(services: MapNode, { problems, active, isBeforeBuild = false }: Profiled, read: Read) {
  const processes: PlacedProcess[] = []
  const leftOut = new Set<string>()
  const taken = new Map<string, string>()
  for (const [written, entry] of services.entries) {
    const called = readProcessName(written, entry, taken, problems)
    const { name } = called
    const { value } = entry
    if (value.kind !== 'map') {
      problems.error(
        entry.key,
        `the process "${name}" must be a mapping, but is ${shown(value)}`,
        'write its keys indented under it',
      )
      continue
    }
    if (isActive(name, childOf(value, 'profiles'), active, problems))
      processes.push(read(called, entry, value))
    else leftOut.add(name)
  }
  const severity = isBeforeBuild ? 'warning' : 'error'
  if (processes.length === 0 && !problems.hasErrors) rejectEmpty(services, severity, problems)
  return { processes, leftOut }
}
