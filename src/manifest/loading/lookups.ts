import { parseDotenv, reportDotenv } from '../syntax/dotenv.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import type { Problems } from '../problems.ts'
import { furtherText, type Loading } from './loading.ts'
import type { ReadOptions } from '../load-tree.ts'

/** The variable that Compose itself sets; here it is the app's name. */
const projectName = 'COMPOSE_PROJECT_NAME'

/** What the files of an app read for `${VAR}`: its environment, then `.env`, then the one variable of Compose. */
export function rootLookup(
  { source, problems }: Pick<Loading, 'source' | 'problems'>,
  { environment, app }: Pick<ReadOptions, 'environment' | 'app'>,
): Lookup {
  const own: Lookup = (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined)
  const values = readDotenv(source.dotenv ?? '', own, { path: '.env', before: new Map() }, problems)
  return (name) => own(name) ?? values.get(name) ?? (name === projectName ? app : undefined)
}

/** What an included file reads: all that the including one reads, then variable files of its own, of which a later one wins. */
export function includedLookup(outer: Lookup, paths: string[], loading: Loading): Lookup {
  const all = new Map<string, string>()
  for (const path of paths) {
    const read = readDotenv(furtherText(loading, path) ?? '', outer, { path, before: all }, loading.problems)
    for (const [name, value] of read) all.set(name, value)
  }
  return (name) => outer(name) ?? all.get(name)
}

interface FileOfVariables {
  path: string
  /** What files before this one hold. */
  before: ReadonlyMap<string, string>
}

function readDotenv(
  text: string,
  outer: Lookup,
  { path, before }: FileOfVariables,
  problems: Problems,
): Map<string, string> {
  const file = parseDotenv(text, outer, { before })
  reportDotenv(file, { file: path, path: '' }, problems)
  return file.values
}
