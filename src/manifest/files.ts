import type { ManifestSource } from '../domain/manifest.ts'
import { loadTree } from './load-tree.ts'
import { buildOf } from './keys/build.ts'
import { envFilesOf } from './keys/environment.ts'
import { contentFilesOf, labelFilesOf, secretPathsOf } from './keys/files/named-files.ts'
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
  /** Files whose content becomes a config or a secret. */
  contents: string[]
  /** Those that are secrets, whether a process uses them or not: no build may see them. */
  secrets: string[]
  /** What is built, each once; `dockerfile` is relative to the context. */
  contexts: { context: string; dockerfile: string }[]
}

/**
 * Finds the files that compose files name, as far as they can be read: mistakes are left to `readManifest`. A file that
 * includes others names them only when its text is there: ask again with what was found until nothing is new.
 */
export function filesOf(source: ManifestSource, environment: Record<string, string>): NamedFiles {
  const problems = new Problems()
  const { tree, wanted } = loadTree(source, { environment, lenientVariables: true }, problems)
  const services = [...(tree?.services.entries.values() ?? [])].map(({ value }) => value)
  const variables = services.flatMap((service) => envFilesOf(childOf(service, 'env_file'), problems))
  const labels = services.flatMap((service) => labelFilesOf(service, problems))
  const contents = tree ? contentFilesOf(tree.root, problems) : []
  const secrets = tree ? secretPathsOf(tree.root, problems) : []
  const builds = services.flatMap((service) => buildOf(service, problems) ?? [])
  return {
    texts: unique([...wanted, ...pathsOf(variables), ...pathsOf(labels)]),
    contents: unique(pathsOf(contents)),
    secrets: unique(secrets),
    contexts: [
      ...new Map(
        builds.map(({ context, dockerfile }) => [`${context}\n${dockerfile}`, { context, dockerfile }]),
      ).values(),
    ],
  }
}

function pathsOf(files: { path: string }[]): string[] {
  return files.map(({ path }) => path)
}

function unique(paths: string[]): string[] {
  return [...new Set(paths)]
}
