import type { ManifestSource } from '../domain/manifest.ts'
import type { Policy } from '../domain/policy.ts'
import type { Problems } from './problems.ts'
import { parseDotenv } from './syntax/dotenv.ts'
import { interpolate, type Lookup } from './syntax/interpolate.ts'
import { interpolateTree, type Variables } from './syntax/interpolate-tree.ts'
import { mergeTrees } from './syntax/merge-trees.ts'
import { parseYaml } from './syntax/parse-yaml.ts'
import { shapeOf, type Shaped } from './syntax/shape.ts'
import { childOf, type MapNode } from './syntax/tree.ts'
import { allLevels } from './verdicts/all-keys.ts'
import { checkKeys, type Ruling } from './verdicts/check-keys.ts'

export interface ReadOptions {
  /** The environment of the app: above `.env` in `${VAR}`. Nothing else is ever read. */
  environment: Record<string, string>
  /** Lets a variable that is required pass with a warning, since it may be set before the promote. */
  lenientVariables?: boolean
  /** What the rack lets processes have of the host; nothing unless it is given. */
  policy?: Policy
}

/** The files as one tree: keys judged, variables filled in, later files merged over earlier ones. */
export interface LoadedTree {
  root: MapNode
  services: MapNode
  isVersionOne: boolean
  lookup: Lookup
  rulings: Ruling[]
}

/** Brings the texts to one tree, phase by phase; null when no process can be read. */
export function loadTree(
  source: ManifestSource,
  options: ReadOptions,
  problems: Problems,
): LoadedTree | null {
  const lookup = lookupOf(source, options, problems)
  const rulings: Ruling[] = []
  const variables: Variables = { lookup, problems, isLenient: options.lenientVariables ?? false, added: 0 }
  const fill = (text: string) => interpolate(text, lookup).text
  const roots = source.files.map((file): Shaped | null => {
    const parsed = parseYaml(file.path, file.text, problems)
    const shaped = parsed && shapeOf(parsed, problems)
    if (!shaped) return null
    const judged = checkKeys(shaped.root, allLevels, { problems, rulings, fill })
    return { ...shaped, root: interpolateTree(judged, variables) }
  })
  const usable = roots.filter((root) => root !== null)
  const [first] = usable
  if (!first || usable.length < roots.length) return null
  const root = mergeTrees(usable.map((one) => one.root))
  const services = childOf(root, 'services')
  if (services?.kind !== 'map') return null
  return { root, services, isVersionOne: first.isVersionOne, lookup, rulings }
}

/** The environment of the app, then `.env`. */
function lookupOf(source: ManifestSource, { environment }: ReadOptions, problems: Problems): Lookup {
  const own: Lookup = (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined)
  const dotenv = parseDotenv(source.dotenv ?? '', own)
  for (const { line, message } of dotenv.faults) {
    problems.error({ path: '', position: { file: '.env', line, column: 1 } }, message)
  }
  return (name) => own(name) ?? dotenv.values.get(name)
}
