import { RackError } from '../../domain/error.ts'
import type { Context } from '../context.ts'

/** For what apps lose that link a service. @throws conflict with `details` of their links */
export async function refuseLinked(
  { store }: Pick<Context, 'store'>,
  service: string,
  { loss, hint }: { loss: string; hint: string },
): Promise<void> {
  const links = (await store.services.links()).filter((link) => link.service === service)
  if (links.length === 0) return
  const apps = [...new Set(links.map(({ app }) => app))].join(', ')
  throw new RackError('conflict', `${service} is in use by ${apps}: ${loss}`, { hint, details: links })
}
