import type { ManifestSource, ProcessType } from '../../src/domain/manifest.ts'
import { problemLine } from '../../src/manifest/report.ts'
import { readManifest } from '../../src/manifest/read-manifest.ts'

export interface Reading {
  processes: ProcessType[]
  volumes: string[]
  /** As they are printed, without the file name. */
  problems: string[]
}

/** Reads one compose text under the name `c.yml`. */
export function readCompose(
  text: string,
  environment: Record<string, string> = {},
  more: Partial<ManifestSource> & { lenientVariables?: boolean } = {},
): Reading {
  const { lenientVariables = false, ...files } = more
  const source: ManifestSource = {
    files: [{ path: 'c.yml', text }],
    dotenv: null,
    texts: {},
    contents: {},
    ...files,
  }
  const { manifest, problems } = readManifest(source, { environment, lenientVariables })
  return {
    processes: manifest?.processes ?? [],
    volumes: manifest?.volumes ?? [],
    problems: problems.map((problem) => problemLine(problem).replace(/^c\.yml:/, '')),
  }
}

/** Reads a file with one process `web` of which `keys` are the lines below `image: nginx`. */
export function readWeb(
  keys: string,
  environment: Record<string, string> = {},
): { web: ProcessType; problems: string[] } {
  const lines = keys.split('\n').map((line) => `    ${line}\n`)
  const { processes, problems } = readCompose(
    `services:\n  web:\n    image: nginx\n${lines.join('')}`,
    environment,
  )
  return { web: processes[0] as ProcessType, problems }
}
