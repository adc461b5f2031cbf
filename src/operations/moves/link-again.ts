import type { Control } from '../../domain/control.ts'
import type { Release } from '../../domain/release.ts'
import type { ReleaseLink } from '../../domain/service-link.ts'
import type { Context } from '../context.ts'
import { say } from '../say.ts'
import { withLogins } from '../services/logins.ts'
import { findService } from '../services/services.ts'
import { typesOf } from './check-import.ts'
import type { FoundArchive } from './read-archive.ts'

/** Releases as they came. */
interface Came {
  found: FoundArchive
  idOf: (id: string) => string
}

/**
 * Makes a release like what was live, and one like the newest, whose links lead to this rack's services, by logins of their
 * own. None where no link is: then they are what they were; none of what has to be gone back to.
 * @returns what stands for which release, by the ids of there
 */
export async function linkAgain(
  context: Context,
  app: string,
  came: Came,
  control: Control,
): Promise<Map<string, string>> {
  const { base, newest } = came.found
  const live = base?.release
  const again = new Map<string, string>()
  if (live && live.links.length > 0 && !isGoneBackTo(came.found))
    again.set(live.id, await likeIt(context, app, live, came, control))
  // It stays the newest: the next change of the environment goes on from there.
  if (newest && newest.id !== live?.id && (again.size > 0 || newest.links.length > 0))
    again.set(newest.id, await likeIt(context, app, newest, came, control))
  return again
}

/**
 * Whether what was live links what the newest does not link any more. Nothing is live yet, so nobody would keep a login for
 * that: it gets one when it is gone back to.
 */
export function isGoneBackTo({ base, newest }: FoundArchive): boolean {
  const has = ({ alias, service, database, keyPrefix }: ReleaseLink) =>
    newest!.links.some((link) => {
      const isSame = link.database === database && link.keyPrefix === keyPrefix
      return link.alias === alias && link.service === service && isSame
    })
  return base !== null && !base.release.links.every(has)
}

async function likeIt(
  context: Context,
  app: string,
  { id: there, links }: Release,
  { found, idOf }: Came,
  control: Control,
): Promise<string> {
  const { store } = context
  const id = idOf(there)
  const build = (await store.releases.get(app, id))?.build ?? null
  const environment = await store.releases.environment(app, id)
  const wanting = await Promise.all(
    links.map(async ({ alias, service, version: _version, ...options }) => {
      return { alias, service: await findService(context, service), options, isNew: false }
    }),
  )
  for (const { alias, service } of wanting) {
    const { name, type } = service
    const was = typesOf(found).get(name) ?? type
    const change = was === type ? '' : `, which is of the type ${type}, and was ${was}`
    say(context, control, `${alias} leads to ${name} of this rack${change}`)
  }
  const current = new Map(wanting.map(({ alias, service }) => [alias, service.version]))
  const use = async (logins: ReadonlyMap<string, string>) => {
    const versionOf = (alias: string) => logins.get(alias) ?? current.get(alias)!
    const linked = links.map((link) => ({ ...link, version: versionOf(link.alias) }))
    const draft = { build, environment, description: `import of ${id}`, basedOn: id, links: linked }
    return await store.releases.append(app, () => draft)
  }
  return (await withLogins(context, app, wanting, use, control)).id
}
