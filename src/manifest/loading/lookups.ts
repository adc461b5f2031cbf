import { parseDotenv } from '../syntax/dotenv.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import { furtherText, type Loading } from './loading.ts'

/** What the files of an app read for `${VAR}`: its environment, then `.env`. Nothing else is ever read. */
export function rootLookup(
  { source, problems }: Pick<Loading, 'source' | 'problems'>,
  environment: Record<string, string>,
): Lookup {
  const own: Lookup = (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined)
  return withDotenv(own, source.dotenv ?? '', '.env', problems)
}

/** What an included file reads: all that the including one reads, then variable files of its own. */
export function includedLookup(outer: Lookup, paths: string[], loading: Loading): Lookup {
  return paths.reduceRight(
    (lookup, path) => withDotenv(lookup, furtherText(loading, path) ?? '', path, loading.problems),
    outer,
  )
}

function withDotenv(outer: Lookup, text: string, file: string, problems: Loading['problems']): Lookup {
  const { values, faults } = parseDotenv(text, outer)
  for (const { line, message } of faults) {
    problems.error({ path: '', position: { file, line, column: 1 } }, message)
  }
  return (name) => outer(name) ?? values.get(name)
}
