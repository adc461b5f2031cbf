import { readApiAccess, type ApiAccess } from '../../account/api-access.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import type { Control } from '../../domain/control.ts'
import type { RackError } from '../../domain/error.ts'
import type { InsideRack } from '../inside-rack.ts'
import type { Session } from '../session.ts'
import { openOwnAccount } from './own-account.ts'

/** What is done in the account of such a rack, as whom this shell calls. */
export interface InsideWork {
  account: OpenAccount
  access: ApiAccess
  /** Without the account: `user/anna`. */
  caller: string
  /** Tells nothing: what is worth it, `watchStacks` shows. */
  control: Control
}

/** Does something there. An interrupt ends the wait with `left`. @throws as `openOwnAccount` and `readApiAccess` */
export async function inAccountOf<T>(
  session: Session,
  { account: { id, region, rack } }: InsideRack,
  left: RackError,
  work: (inside: InsideWork) => Promise<T>,
): Promise<T> {
  using own = await openOwnAccount({ id, region })
  session.output.say(`account ${id} as ${own.caller.name}, in ${region}`)
  const interrupt = new AbortController()
  using listening = new DisposableStack()
  listening.defer(session.world.onLeave(() => interrupt.abort(left)))
  const control = { signal: interrupt.signal, report: () => undefined }
  const access = await readApiAccess(own.account, rack, control)
  return await work({ account: own.account, access, caller: own.caller.name, control })
}
