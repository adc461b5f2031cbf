import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { loginHolder, refuseUnready } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { inTurn, listData, loginsOf, revokeUnused, runIn } from './logins.ts'
import { noneOf } from './running-service.ts'
import { findService } from './services.ts'

/**
 * Ends what links have left in a service, for good: a database with all that is in it. One that a link has, or a process
 * that drains, is refused.
 * @throws not-found; unsupported; conflict with `details` of who has it
 */
export async function dropServiceData(
  context: Context,
  name: string,
  data: string,
  control: Control,
): Promise<void> {
  const service = await findService(context, name)
  refuseUnready(service)
  const logins = loginsOf(service)
  if (!logins?.hasOwnData) throw noneOf(service, 'databases of its links')
  // A login that nothing has any more is no reason to refuse.
  await revokeUnused(context, service, control)
  await inTurn(context, name, control, async () => {
    const holders = (await context.store.services.versions(name)).flatMap(({ login }) =>
      login?.data === data ? [loginHolder(login)] : [],
    )
    if (holders.length > 0) {
      const who = [...new Set(holders)].join(', ')
      throw new RackError('conflict', `${data} of ${name} is in use by ${who}`, {
        hint: 'End the links and shares first, and wait for what drains: rack links; rack services shares',
        details: { service: name, data, holders },
      })
    }
    const found = await listData(context, name, logins, control)
    if (!found.includes(data)) {
      throw new RackError('not-found', `${name} has no data "${data}"`, {
        hint: found.length === 0 ? 'It has none.' : `It has: ${found.join(', ')}`,
      })
    }
    await runIn(context, name, logins.dropData(data), control)
  })
}
