import { parseDotenv, reportDotenv } from '../syntax/dotenv.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import { furtherText, type Loading } from './loading.ts'
import type { Node } from '../syntax/tree.ts'

/** The variable that Compose itself sets; here it is the app's name. */
const projectName = 'COMPOSE_PROJECT_NAME'

/** What the files of an app read for `${VAR}`: its environment, then `.env`, then the one variable of Compose. */
export function rootLookup(
  { source, problems }: Pick<Loading, 'source' | 'problems'>,
  { environment, app }: { environment: Record<string, string>; app?: string },
): Lookup {
  const own: Lookup = (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined)
  const dotenv = parseDotenv(source.dotenv ?? '', own)
  reportDotenv(dotenv, { file: '.env', path: '' }, problems)
  return (name) => own(name) ?? dotenv.values.get(name) ?? (name === projectName ? app : undefined)
}

/** What an included file reads: all that the including one reads, then variable files of its own, of which a later one wins. */
export function includedLookup(
  outer: Lookup,
  { at, envFiles }: { at: Node; envFiles: string[] },
  loading: Loading,
): Lookup {
  const all = new Map<string, string>()
  for (const path of envFiles) {
    const text = furtherText(loading, path) ?? ''
    const read = loading.variableFiles.readText(text, { path, at, lookup: outer, before: all })
    for (const [name, value] of read) all.set(name, value)
  }
  return (name) => outer(name) ?? all.get(name)
}
