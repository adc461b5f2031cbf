import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { readLocalManifest } from '../src/cli/source/read-manifest-source.ts'
import { dockerFeatures } from '../src/domain/docker-features.ts'
import { knownError } from '../src/domain/error.ts'
import type { Problem } from '../src/domain/manifest.ts'
import { anyPolicy } from '../src/domain/policy.ts'
import { fixManifest } from '../src/manifest/fix/fix-manifest.ts'
import type { ReadOptions } from '../src/manifest/load-tree.ts'
import { readManifest } from '../src/manifest/read-manifest.ts'

/** How many of a collection of compose files a rack takes, each read by itself, and why it does not take the others. */
export interface Accepted {
  files: number
  /** Under a policy that allows nothing, and one that allows all. */
  byDefault: number
  underAnyPolicy: number
  /** The same once `rack manifest fix` has mended them. */
  fixedByDefault: number
  fixedUnderAnyPolicy: number
  /** What refuses files under any policy, without names: in how many, the most frequent first. */
  reasons: [reason: string, files: number][]
}

const usual: ReadOptions = {
  environment: {},
  features: dockerFeatures,
  lenientVariables: true,
  isBeforeBuild: true,
}
const any: ReadOptions = { ...usual, policy: anyPolicy }

/** Reads the `.yml` and `.yaml` files of a folder and of those below it. */
export async function measure(folder: string): Promise<Accepted> {
  const paths = globSync('**/*.{yml,yaml}', { cwd: folder }).sort()
  const readings = await Promise.all(paths.map(async (path) => await readFile(join(folder, path))))
  const count = (isMeant: (reading: Reading) => boolean) => readings.filter(isMeant).length
  const reasons = readings.flatMap(({ refusals }) => [...refusals])
  const byReason = [...Map.groupBy(reasons, (reason) => reason)].map(
    ([reason, { length }]): [string, number] => [reason, length],
  )
  return {
    files: paths.length,
    byDefault: count(({ byDefault }) => byDefault),
    underAnyPolicy: count(({ refusals }) => refusals.size === 0),
    fixedByDefault: count(({ fixedByDefault }) => fixedByDefault),
    fixedUnderAnyPolicy: count(({ fixedUnderAnyPolicy }) => fixedUnderAnyPolicy),
    reasons: byReason.sort(([, a], [, b]) => b - a),
  }
}

interface Reading {
  byDefault: boolean
  /** Under any policy. */
  refusals: Set<string>
  fixedByDefault: boolean
  fixedUnderAnyPolicy: boolean
}

async function readFile(path: string): Promise<Reading> {
  const [directory, name] = [dirname(path), basename(path)]
  const read = async (texts?: ReadonlyMap<string, string>) =>
    (await readLocalManifest(directory, [name], texts)).source
  try {
    const source = await read()
    const isTaken = async (options: ReadOptions) => (await fixManifest(source, options, read)).isAccepted
    return {
      byDefault: readManifest(source, usual).manifest !== null,
      refusals: refusalsOf(readManifest(source, any).problems),
      fixedByDefault: await isTaken(usual),
      fixedUnderAnyPolicy: await isTaken(any),
    }
  } catch (error) {
    // A link, or a file that is too large, is a reason as any other.
    const refusals = new Set([withoutNames(knownError(error).message)])
    return { byDefault: false, refusals, fixedByDefault: false, fixedUnderAnyPolicy: false }
  }
}

function refusalsOf(problems: Problem[]): Set<string> {
  return new Set(
    problems.filter(({ severity }) => severity === 'error').map(({ message }) => withoutNames(message)),
  )
}

/** A key is what it is about; any other name is the file's own. */
function withoutNames(message: string): string {
  if (message.includes('" is refused: ')) return message
  return message
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/\d+/g, 'N')
    .slice(0, 120)
}

function report({ files, reasons, ...counts }: Accepted): string {
  const share = (count: number) =>
    `${String(files === 0 ? 0 : Math.round((100 * count) / files)).padStart(3)} %  ${count}`
  return [
    `${files} files`,
    `by default                     ${share(counts.byDefault)}`,
    `  and mended by manifest fix   ${share(counts.fixedByDefault)}`,
    `where all is allowed           ${share(counts.underAnyPolicy)}`,
    `  and mended by manifest fix   ${share(counts.fixedUnderAnyPolicy)}`,
    '',
    'what refuses them there:',
    ...reasons.slice(0, 40).map(([reason, count]) => `${String(count).padStart(5)}  ${reason}`),
  ].join('\n')
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2)
  if (folder === undefined) {
    console.error(
      'node scripts/accepted.ts FOLDER: how many of its compose files a rack takes, and why not the others',
    )
    process.exitCode = 2
  } else console.log(report(await measure(folder)))
}
