import type { EngineFeatures } from '../domain/features.ts'
import type { ManifestSource } from '../domain/manifest.ts'
import type { Policy } from '../domain/policy.ts'
import { VariableFiles } from './keys/files/variable-files.ts'
import { directoryOf } from './paths.ts'
import { loadFile } from './loading/load-file.ts'
import type { Loading } from './loading/loading.ts'
import { rootLookup } from './loading/lookups.ts'
import type { Problems } from './problems.ts'
import type { Lookup } from './syntax/interpolate.ts'
import { hasRoomFor } from './syntax/shape.ts'
import { mergeTrees, withoutResets } from './syntax/merge-trees.ts'
import { childOf, type MapNode } from './syntax/tree.ts'
import type { Ruling } from './verdicts/check-keys.ts'

export interface ReadOptions {
  /** The environment of the app: above `.env` in `${VAR}`. Nothing of the machine is ever read. */
  environment: Record<string, string>
  /** The app's name: what Compose calls the project, where the file asks for it. */
  app?: string
  /** Lets a variable that is required pass with a warning, since it may be set before the promote. */
  lenientVariables?: boolean
  /** Lets pass what the environment may still decide before the build: names of images, and which profiles are on. */
  isBeforeBuild?: boolean
  /** What the engine can do that is to run it. */
  features: EngineFeatures
  /** What the rack lets processes have of the host; nothing unless it is given. */
  policy?: Policy
}

/** The files as one tree: keys judged, variables filled in, later files merged over earlier ones. */
export interface LoadedTree {
  root: MapNode
  services: MapNode
  isVersionOne: boolean
  lookup: Lookup
  variableFiles: VariableFiles
}

/** What loading met, whether or not it came to a tree. */
export interface Loaded {
  tree: LoadedTree | null
  rulings: Ruling[]
  /** Further texts that the files name, from the source directory. */
  wanted: string[]
}

/** Brings the texts to one tree, phase by phase; the tree is null when no process can be read. */
export function loadTree(source: ManifestSource, options: ReadOptions, problems: Problems): Loaded {
  const loading: Loading = {
    source,
    problems,
    features: options.features,
    rulings: [],
    isLenient: options.lenientVariables ?? false,
    addedText: { length: 0 },
    variableFiles: new VariableFiles(source, problems),
    repeated: 0,
    soFar: { length: 0, parts: 0 },
    wanted: new Set(),
    filesRead: 0,
    shaped: new Map(),
  }
  const lookup = rootLookup(loading, options)
  const tree = mergeFiles(lookup, loading)
  return { tree, rulings: loading.rulings, wanted: [...loading.wanted] }
}

/** Relative paths in all files start at the folder of the first. */
function mergeFiles(lookup: Lookup, loading: Loading): LoadedTree | null {
  const { files } = loading.source
  const base = directoryOf(files[0]?.path ?? '.')
  const roots = files.map((file) => loadFile(file, { lookup, base, within: [file.path] }, loading))
  const usable = roots.filter((root) => root !== null)
  const [first] = usable
  if (!first || usable.length < roots.length) return null
  const root = withoutResets(mergeTrees(usable.map((one) => one.root)))
  const services = childOf(root, 'services')
  if (services?.kind === 'map' && services.entries.size > 0) {
    const hasRoom = hasRoomFor(services, loading.problems)
    const { variableFiles } = loading
    return hasRoom ? { root, services, isVersionOne: first.isVersionOne, lookup, variableFiles } : null
  }
  const message = services ? '`services` names no process' : 'the file has no `services`'
  loading.problems.error(services ?? root, message, 'write `services:` and under it, indented, `web:`')
  return null
}
