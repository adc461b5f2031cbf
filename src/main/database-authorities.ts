import type { Logger } from 'pino'
import { RackError, codeOf } from '../domain/error.ts'
import type { KeptText } from '../store/store-keys.ts'

const answerDeadlineMs = 10_000
/** A Region has three authorities and their like; all Regions together have 170 kB. */
const mostBytes = 2 ** 20

/** Where in the rack's bucket the last ones are kept. */
export const databaseAuthoritiesKey = 'database-authorities.pem'

interface Means {
  /** Has what was found last, for a start at which Amazon's is away. */
  keeper: KeptText
  log: Logger
}

/**
 * Whose certificates a database of RDS may show, as PEM: Amazon publishes them for each Region, and no system has them by
 * itself. `RACK_DATABASE_AUTHORITIES` names another URL, where a network leads nowhere else.
 * @throws engine-unavailable where they are not had and never were
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
 */
export async function databaseAuthorities(
  { RACK_DATABASE_AUTHORITIES: given }: NodeJS.ProcessEnv,
  region: string,
  { keeper, log }: Means,
): Promise<string> {
  const url = given || `https://truststore.pki.rds.amazonaws.com/${region}/${region}-bundle.pem`
  const kept = await keeper.read()
  try {
    const found = await fetchAuthorities(url)
    if (found !== kept) await keeper.write(found)
    return found
  } catch (cause) {
    if (kept === null) {
      throw new RackError('engine-unavailable', `the authorities of databases cannot be had of ${url}`, {
        hint: 'Let the daemon reach it, or name another place of the same bundle: RACK_DATABASE_AUTHORITIES',
        cause,
      })
    }
    log.warn({ url, code: codeOf(cause) }, 'the authorities of databases are those of an earlier start')
    return kept
  }
}

async function fetchAuthorities(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(answerDeadlineMs) })
  if (!response.ok) throw new Error(`it answers with ${response.status}`)
  const text = await response.text()
  if (text.length > mostBytes || !text.includes('-----BEGIN CERTIFICATE-----'))
    throw new Error('what it has is no bundle of certificates')
  return text
}
