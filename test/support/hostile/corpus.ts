import { dockerFeatures } from '../../../src/domain/docker-features.ts'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ManifestSource } from '../../../src/domain/manifest.ts'
import { describeManifest } from '../../../src/manifest/describe.ts'

const golden = join(import.meta.dirname, '../../golden/manifest')

/** What hostile inputs are made from. */
export interface Corpus {
  /** The golden cases, each with all files of its directory. */
  sources: ManifestSource[]
  /** Those that are valid as they are. */
  valid: ManifestSource[]
  /** The parts of all compose files that begin at a key of the first or second level. */
  blocks: string[]
  lines: string[]
  /** The last segments of every key of the specification. */
  keys: string[]
  /** Texts of files of variables. */
  variables: string[]
}

/** Reads the golden cases. */
export function readCorpus(): Corpus {
  const directories = globSync('cases/*', { cwd: golden }).sort()
  const sources = directories.map((directory) => readSource(join(golden, directory)))
  const texts = sources.flatMap(({ files, texts }) => [
    ...files.map(({ text }) => text),
    ...Object.entries(texts).flatMap(([path, text]) => (isCompose(path) ? [text] : [])),
  ])
  const variables = sources.flatMap(({ dotenv, texts }) => [
    ...(dotenv === null ? [] : [dotenv]),
    ...Object.entries(texts).flatMap(([path, text]) => (isCompose(path) ? [] : [text])),
  ])
  const keys = readFileSync(join(golden, 'specification-keys.txt'), 'utf8').trim().split('\n')
  return {
    sources,
    valid: sources.filter(
      (source) =>
        describeManifest(source, { environment: {}, features: dockerFeatures, lenientVariables: true })
          .isValid,
    ),
    blocks: texts.flatMap((text) => text.split(/\n(?=(?: {2})?[a-z"][^\n]*:)/)),
    lines: texts.flatMap((text) => text.split('\n')).filter((line) => line.trim() !== ''),
    keys: [...new Set(keys.map((key) => key.split('.').at(-1) ?? ''))],
    variables,
  }
}

/** Every file of the directory as what it could be: text that another file names, and content. */
function readSource(directory: string): ManifestSource {
  const paths = globSync('**/*', { cwd: directory, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
  const read = (path: string) => readFileSync(join(directory, path), 'utf8')
  // The base comes before what is laid over it, as its name is the shorter one.
  const files = paths
    .filter((path) => isCompose(path) && !path.includes('/'))
    .sort((one, other) => one.length - other.length)
  const others = paths.filter((path) => path !== '.env')
  return {
    files: files.map((path) => ({ path, text: read(path) })),
    dotenv: paths.includes('.env') ? read('.env') : null,
    texts: Object.fromEntries(others.map((path) => [path, read(path)])),
    contents: Object.fromEntries(others.map((path) => [path, Buffer.from(read(path)).toString('base64')])),
  }
}

function isCompose(path: string): boolean {
  return /\.ya?ml$/.test(path)
}
