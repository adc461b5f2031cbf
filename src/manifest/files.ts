import { dockerFeatures } from '../domain/docker-features.ts'
import { gitContextOf, type GitContext } from '../domain/git-context.ts'
import type { ManifestSource, NamedContext } from '../domain/manifest.ts'
import { loadTree } from './load-tree.ts'
import { buildOf } from './keys/build/build.ts'
import { namedContextsOf } from './keys/build/build-contexts.ts'
import { keyFilesOf } from './keys/build/build-secrets.ts'
import { envFilesOf } from './keys/environment.ts'
import { contentFilesOf, labelFilesOf, secretPathsOf } from './keys/files/named-files.ts'
import { bindVolumesOf } from './keys/mounts/bind-volumes.ts'
import { bindSourcesOf, volumeSourcesOf } from './keys/mounts/relative-bind.ts'
import { Problems } from './problems.ts'
import { childOf } from './syntax/tree.ts'

/** The names under which a compose file is found, in the order of preference. */
export const composeFileNames = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
] as const

/** The compose file among the names of a directory, or null. */
export function findComposeFile(names: string[]): string | null {
  return composeFileNames.find((name) => names.includes(name)) ?? null
}

/** What must be read or sent beside the compose files; paths are relative to the source directory. */
export interface NamedFiles {
  /** Texts: further compose files, files of variables and of labels. Not all of them have to be there. */
  texts: string[]
  /** Files whose content becomes a config, a secret or a key of a build. */
  contents: string[]
  /** Those that are secrets or keys, whether anything uses them or not: no build's context has them. */
  secrets: string[]
  /** Files of secrets and of variables: no image may hold them because a bind mount takes the folder around them. */
  withheld: string[]
  /** What relative bind mounts name, as far as their variables have a value; one that leads outside begins with `..`. */
  binds: string[]
  /** What is built, each once; `dockerfile` is relative to the context. */
  contexts: { context: string; dockerfile: string }[]
  /** What is fetched for builds, each once. */
  repositories: GitContext[]
}

/**
 * Finds the files that compose files name, as far as they can be read: mistakes are left to `readManifest`. A file that
 * includes others names them only when its text is there: ask again with what was found until nothing is new.
 */
export function filesOf(source: ManifestSource, environment: Record<string, string>): NamedFiles {
  const problems = new Problems()
  // Which files are named is the same for every engine.
  const options = { environment, lenientVariables: true, features: dockerFeatures }
  const { tree, wanted } = loadTree(source, options, problems)
  const services = [...(tree?.services.entries.values() ?? [])].map(({ value }) => value)
  const variables = services.flatMap((service) => envFilesOf(childOf(service, 'env_file'), problems))
  const labels = services.flatMap((service) => labelFilesOf(service, problems))
  const keys = services.flatMap((service) => keyFilesOf(service, problems))
  const contents = tree ? [...contentFilesOf(tree.root, problems), ...keys] : []
  const secrets = tree ? [...secretPathsOf(tree.root, problems), ...pathsOf(keys)] : []
  const builds = services.flatMap((service) => buildOf(service, problems) ?? [])
  const declared = bindVolumesOf(childOf(tree?.root, 'volumes'), problems)
  const volumes = volumeSourcesOf(declared.values())
  const texts = unique([...wanted, ...pathsOf(variables), ...pathsOf(labels)])
  return {
    texts,
    contents: unique(pathsOf(contents)),
    secrets: unique(secrets),
    withheld: unique([...secrets, ...texts.filter((path) => !/\.ya?ml$/.test(path))]),
    binds: unique([...services.flatMap((service) => bindSourcesOf(service, problems)), ...volumes]),
    repositories: repositoriesOf(builds),
    contexts: contextsOf(
      builds,
      services.flatMap((service) => namedContextsOf(service, problems)),
    ),
  }
}

function repositoriesOf(builds: { repository?: string }[]): GitContext[] {
  const all = builds.flatMap(({ repository }) => gitContextOf(repository ?? '') ?? [])
  return [...new Map(all.map((one) => [one.place, one])).values()]
}

/** A further context has rules of its own, and no Dockerfile. */
function contextsOf(
  builds: NamedFiles['contexts'],
  named: { value: NamedContext }[],
): NamedFiles['contexts'] {
  const further = named.flatMap(({ value }) => ('folder' in value ? [value.folder] : []))
  const all = [
    ...builds.map(({ context, dockerfile }) => ({ context, dockerfile })),
    ...further.map((context) => ({ context, dockerfile: 'Dockerfile' })),
  ]
  return [...new Map(all.map((one) => [`${one.context}\n${one.dockerfile}`, one])).values()]
}

function pathsOf(files: { path: string }[]): string[] {
  return files.map(({ path }) => path)
}

function unique(paths: string[]): string[] {
  return [...new Set(paths)]
}
