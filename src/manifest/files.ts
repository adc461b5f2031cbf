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
  /** Files that `env_file:` names, each once. */
  envFiles: { path: string; required: boolean }[]
  /** What is built, each once; `dockerfile` is relative to the context. */
  contexts: { context: string; dockerfile: string }[]
  problems: Problem[]
}

/** Finds the files that compose files name, as far as they can be read: other mistakes are left to `readManifest`. */
export function filesOf(
  source: Pick<ManifestSource, 'files' | 'dotenv'>,
  environment: Record<string, string>,
): NamedFiles {
  const problems = new Problems()
  const whole: ManifestSource = { ...source, texts: {}, contents: {} }
  const loaded = loadTree(whole, { environment, lenientVariables: true }, problems)
  const envFiles = new Map<string, boolean>()
  const contexts = new Map<string, { context: string; dockerfile: string }>()
  for (const [, { value }] of loaded?.services.entries ?? []) {
    for (const { path, isRequired } of envFilesOf(childOf(value, 'env_file'), problems)) {
      envFiles.set(path, isRequired || (envFiles.get(path) ?? false))
    }
    const build = buildOf(value, problems)
    if (build)
      contexts.set(`${build.context}\n${build.dockerfile}`, {
        context: build.context,
        dockerfile: build.dockerfile,
      })
  }
  return {
    envFiles: [...envFiles].map(([path, required]) => ({ path, required })),
    contexts: [...contexts.values()],
    problems: problems.sorted(source.files.map(({ path }) => path)),
  }
}
