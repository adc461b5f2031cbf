import { cruise, type ICruiseResult, type IDependency, type IModule } from 'dependency-cruiser'
import { readUsingDeclarations } from './read-using.ts'
import { importRules } from './rules.ts'
import { mayStartWith, rooms, startsWithout } from './tables.ts'

readUsingDeclarations()

export interface ImportReport {
  files: number
  imports: number
  /** One line each: what, where, and the rule's reason. */
  problems: string[]
}

/**
 * Holds every import under a directory against the tables.
 *
 * @throws Error when not one import was seen: the parser is missing, and every rule would pass
 */
export async function checkImports(root: string): Promise<ImportReport> {
  const forbidden = importRules()
  const reasons = new Map(forbidden.map(({ name, comment }) => [name, comment]))
  const result = await cruise(['src', 'test', 'scripts', 'bench'], {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden },
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(test/golden|test/wild/[^/]+|examples|dist)/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mts', '.js', '.mjs', '.json', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  })
  const { modules, summary } = result.output as ICruiseResult
  const own = modules.filter((module) => /^(src|test|scripts|bench)\//.test(module.source))
  const imports = own.reduce((sum, module) => sum + module.dependencies.length, 0)
  if (own.length > 0 && imports === 0) {
    throw new Error(
      `no import was seen in ${own.length} files: is @swc/core installed, and is this Node 24 or newer?`,
    )
  }
  const broken = summary.violations.map(
    ({ from, to, rule }) => `${from} -> ${to}\n    ${rule.name}: ${reasons.get(rule.name)}`,
  )
  return {
    files: own.length,
    imports,
    problems: [...broken, ...strayFiles(own), ...impurities(modules), ...slowStarts(modules)],
  }
}

function strayFiles(modules: IModule[]): string[] {
  const isInRoom = (file: string) => Object.keys(rooms).some((room) => file.startsWith(`${room}/`))
  return modules
    .filter(({ source }) => source.startsWith('src/') && !isInRoom(source))
    .map(
      ({ source }) =>
        `${source}\n    a-file-without-a-room: every folder of src is in scripts/imports/tables.ts.`,
    )
}

/** Pure rooms reach no Node module, however many files lie between. */
function impurities(modules: IModule[]): string[] {
  const pure = Object.keys(rooms).filter((room) => rooms[room]?.isPure)
  return reaching(modules, pure, {
    isForbidden: ({ coreModule }) => coreModule,
    follows: isValue,
    comment: 'a-pure-room-reaches-node: no I/O, no clock, no Node module here.',
  })
}

/** Programs that must start fast load no heavy package before they need it. */
function slowStarts(modules: IModule[]): string[] {
  return Object.entries(startsWithout).flatMap(([folder, names]) =>
    reaching(modules, [folder], {
      isForbidden: ({ resolved }) => names.some((name) => resolved.includes(`node_modules/${name}/`)),
      follows: (dependency) => isValue(dependency) && !dependency.dynamic,
      comment: `a-slow-start: ${folder} starts without ${names.join(', ')}; import it lazily, or its types only.`,
    }),
  )
}

function isValue({ dependencyTypes }: IDependency): boolean {
  return !dependencyTypes.includes('type-only')
}

interface Search {
  isForbidden: (dependency: IDependency) => boolean
  follows: (dependency: IDependency) => boolean
  comment: string
}

function reaching(modules: IModule[], folders: string[], { comment, ...search }: Search): string[] {
  const bySource = new Map(modules.map((module) => [module.source, module]))
  const isIn = (source: string) => (folder: string) =>
    source.startsWith(`${folder}/`) || source.startsWith(`${folder}.`)
  const starts = modules.filter(
    ({ source }) =>
      folders.some(isIn(source)) && !mayStartWith.some(isIn(source)) && !source.endsWith('.test.ts'),
  )
  return starts.flatMap(({ source }) => {
    const path = findPath(source, bySource, search)
    return path ? [`${path.join(' -> ')}\n    ${comment}`] : []
  })
}

/** The shortest way from a file to a forbidden import, or null. */
function findPath(
  start: string,
  bySource: Map<string, IModule>,
  search: Omit<Search, 'comment'>,
): string[] | null {
  const seen = new Set([start])
  const queue = [[start]]
  for (let path = queue.shift(); path; path = queue.shift()) {
    for (const dependency of bySource.get(path.at(-1)!)?.dependencies ?? []) {
      const { resolved, coreModule } = dependency
      if (!search.follows(dependency)) continue
      if (search.isForbidden(dependency))
        return [...path, coreModule ? `node:${resolved}` : dependency.module]
      if (resolved.startsWith('src/') && !seen.has(resolved)) queue.push([...path, resolved])
      seen.add(resolved)
    }
  }
  return null
}
