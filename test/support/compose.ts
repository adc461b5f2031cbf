import { dockerFeatures } from '../../src/domain/docker-features.ts'
import type { Manifest, ManifestSource, ProcessType } from '../../src/domain/manifest.ts'
import type { ReadOptions } from '../../src/manifest/load-tree.ts'
import { problemLine } from '../../src/manifest/report.ts'
import { readManifest } from '../../src/manifest/read-manifest.ts'

export interface Reading {
  /** Null when a problem is an error. */
  manifest: Manifest | null
  processes: ProcessType[]
  volumes: string[]
  /** As they are printed, without the file name. */
  problems: string[]
}

/** What is given beside the text. */
type More = Partial<ManifestSource> & Omit<Partial<ReadOptions>, 'environment'>

/** Reads one compose text under the name `c.yml`. */
export function readCompose(
  text: string,
  environment: Record<string, string> = {},
  more: More = {},
): Reading {
  const { lenientVariables, isBeforeBuild, policy, app, features = dockerFeatures, ...files } = more
  const source: ManifestSource = {
    files: [{ path: 'c.yml', text }],
    dotenv: null,
    texts: {},
    contents: {},
    ...files,
  }
  const options = { lenientVariables, isBeforeBuild, policy, app }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const { manifest, problems } = readManifest(source, { environment, features, ...given })
  return {
    manifest,
    processes: manifest?.processes ?? [],
    volumes: manifest?.volumes ?? [],
    problems: problems.map((problem) => problemLine(problem).replace(/^c\.yml:/, '')),
  }
}

/** Reads a file with one process `web` of which `keys` are the lines below `image: nginx`. */
export function readWeb(
  keys: string,
  environment: Record<string, string> = {},
  more: More = {},
): { web: ProcessType; problems: string[] } {
  const lines = keys.split('\n').map((line) => `    ${line}\n`)
  const { processes, problems } = readCompose(
    `services:\n  web:\n    image: nginx\n${lines.join('')}`,
    environment,
    more,
  )
  return { web: processes[0] as ProcessType, problems }
}
