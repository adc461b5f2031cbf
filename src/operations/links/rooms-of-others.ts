import { isOneOf, type Caller } from '../../domain/caller.ts'
import { RackError } from '../../domain/error.ts'
import type { LinkLogin } from '../../domain/service.ts'

/** What a login is to reach. */
interface Room extends Pick<LinkLogin, 'app' | 'data' | 'keyPrefix'> {
  service: string
  /** False for the database of the link's own. */
  isShared: boolean
}

interface Inside {
  /** All that the service knows. */
  logins: Pick<LinkLogin, 'app' | 'data' | 'keyPrefix'>[]
  /** The databases that there are, those too that links have left; empty where all links see the same. */
  databases: () => Promise<string[]>
}

/**
 * Refuses who is for some apps only a login to what another app has for itself in a service: its database, one that a
 * link has left, keys behind its prefix. What a login of the app reaches today stays its own.
 * @throws forbidden, without the names of the others
 */
export async function refuseRoomsOfOthers(caller: Caller, room: Room, inside: Inside): Promise<void> {
  if (caller.apps === null) return
  const { app, data, keyPrefix, service, isShared } = room
  const isSame = (login: Inside['logins'][number]) => login.data === data && login.keyPrefix === keyPrefix
  if (inside.logins.some((login) => login.app === app && isSame(login))) return
  const meets = (login: Inside['logins'][number]) =>
    (isShared && login.data === data) || reachesKeys(keyPrefix, login.keyPrefix)
  const met = inside.logins.filter(meets)
  if (met.some((login) => !isOneOf(caller, login.app))) {
    throw taken(caller, room)
  }
  if (isShared && met.length === 0 && (await inside.databases()).includes(data)) {
    throw new RackError('forbidden', `${service} has a database "${data}" already, which links have left`, {
      hint: 'Take another name: --database NAME; or use a token for all apps: rack login URL',
    })
  }
}

/** Whether a login reaches what another has behind its prefix. */
export function reachesKeys(own: string | null, other: string | null): boolean {
  return other !== null && (other.startsWith(own ?? '') || (own !== null && own.startsWith(other)))
}

function taken({ name }: Caller, { service, isShared, data, keyPrefix }: Room): RackError {
  const [what, anew] = isShared
    ? [`the database "${data}" of ${service}`, '--database NAME']
    : [
        `what ${service} has of keys${keyPrefix === null ? '' : ` that begin "${keyPrefix}"`}`,
        '--key-prefix PREFIX',
      ]
  return new RackError(
    'forbidden',
    `the token "${name}" is for some apps only: ${what} is another app's too`,
    {
      hint: `Take another: ${anew}; or use a token for all apps that are to have it: rack login URL`,
    },
  )
}
