import type { ManifestSource, Problem } from '../domain/manifest.ts'
import { loadTree } from './load-tree.ts'
import { buildOf } from './keys/build.ts'
import { envFilesOf } from './keys/environment.ts'
import { Problems } from './problems.ts'
import { childOf } from './syntax/tree.ts'

/** The names under which a compose file is found, in the order of preference. */
const composeFileNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'] as const

/** The compose file among the names of a directory, or null. */
export function findComposeFile(names: string[]): string | null {
  return composeFileNames.find((name) => names.includes(name)) ?? null
}

/** What must be read or sent beside the compose files; paths are relative to the source directory. */
export interface NamedFiles {
  /** Texts: further compose files, files of variables and of labels. Not all of them have to be there. */
  texts: string[]
  /** What is built, each once; `dockerfile` is relative to the context, and null when it is no file. */
  contexts: { context: string; dockerfile: string }[]
  problems: Problem[]
}

/**
 * Finds the files that compose files name, as far as they can be read: other mistakes are left to `readManifest`. A
 * file that includes others names them only when its text is there: ask again with what was found until nothing is new.
 */
export function filesOf(source: ManifestSource, environment: Record<string, string>): NamedFiles {
  const problems = new Problems()
  const { tree, wanted } = loadTree(source, { environment, lenientVariables: true }, problems)
  const texts = new Set(wanted)
  const contexts = new Map<string, { context: string; dockerfile: string }>()
  for (const [, { value }] of tree?.services.entries ?? []) {
    for (const { path } of envFilesOf(childOf(value, 'env_file'), problems)) texts.add(path)
    const build = buildOf(value, problems)
    if (!build) continue
    const { context, dockerfile } = build
    contexts.set(`${context}\n${dockerfile}`, { context, dockerfile })
  }
  return {
    texts: [...texts],
    contexts: [...contexts.values()],
    problems: problems.sorted(source.files.map(({ path }) => path)),
  }
}
