import { RackError } from '../../domain/error.ts'
import type { Manifest } from '../../domain/manifest.ts'
import type { Service } from '../../domain/service.ts'
import type { LinkOptions, ReleaseLink } from '../../domain/service-link.ts'
import { didYouMean } from '../../manifest/nearest.ts'
import { loginsOf } from '../services/logins.ts'

/** Names of links' own databases have a `_`: no word that is asked for meets one. */
const databasePattern = /^[a-z][a-z0-9-]{0,30}$/
/** What servers have from the start, and who administers them. */
const reserved = new Set(['postgres', 'template0', 'template1', 'mysql', 'sys', 'root', 'rack', 'default'])
for (const name of ['admin', 'config', 'local']) reserved.add(name)

/** What is asked for, over what the link has; in one order, so that the same is the same. */
export function optionsOf(asked: LinkOptions, link: ReleaseLink | undefined): LinkOptions {
  const { processes = link?.processes, database = link?.database, keyPrefix = link?.keyPrefix } = asked
  return {
    ...(processes && { processes: [...new Set(processes)].sort() }),
    ...(database !== undefined && { database }),
    ...(keyPrefix !== undefined && { keyPrefix }),
  }
}

/** @param manifest null before the app's first build; @throws invalid; not-found for a process that is none; conflict */
export function checkOptions(service: Service, options: LinkOptions, manifest: Manifest | null): void {
  const { processes = [], database, keyPrefix } = options
  const known = manifest?.processes.map(({ name }) => name) ?? processes
  const strange = processes.find((name) => !known.includes(name))
  if (strange !== undefined) {
    const meant = didYouMean(strange, known, `there are ${known.join(', ')}`)
    throw new RackError('not-found', `the app has no process "${strange}": ${meant}`)
  }
  if (database !== undefined) checkDatabase(service, database)
  if (keyPrefix !== undefined) checkPrefix(service, keyPrefix)
}

/** Whether links may share a database of this name. */
export function isSharedDatabase(name: string): boolean {
  return databasePattern.test(name) && !reserved.has(name)
}

export function isKeyPrefix(text: string): boolean {
  return /^[!-~]{1,100}$/.test(text)
}

function checkDatabase(service: Service, database: string): void {
  const { name, type } = service
  const logins = loginsOf(service)
  if (!logins?.hasOwnData) {
    throw new RackError('conflict', `${name} has no databases to choose from: it is of the type ${type}`)
  }
  if (isSharedDatabase(database)) return
  throw new RackError('invalid', `"${database}" cannot be the name of a shared database`, {
    hint: 'Use 1 to 31 lower-case letters, digits and dashes, a letter first: --database shared',
  })
}

function checkPrefix(service: Service, keyPrefix: string): void {
  const { name, type } = service
  const logins = loginsOf(service)
  if (!logins || logins.hasOwnData) {
    throw new RackError('conflict', `${name} knows no prefix of keys: it is of the type ${type}`)
  }
  if (isKeyPrefix(keyPrefix)) return
  throw new RackError('invalid', 'a prefix of keys is 1 to 100 visible letters of ASCII', {
    hint: '--key-prefix shop:',
  })
}
