import { RackError } from '../domain/error.ts'
import type { AccountWay, KnownRack } from './racks-file.ts'
import { selectRack } from './select-rack.ts'
import type { Session } from './session.ts'

/** A rack that this command line knows, whose daemon runs in its account. */
export type InsideRack = KnownRack & { account: AccountWay }

/** The one that a command means; null where it means another, or none. */
export function insideRackOf({ options, world }: Pick<Session, 'options' | 'world'>): InsideRack | null {
  if (options.text('dir') !== undefined) return null
  try {
    const known = selectRack(options.text('rack'), world.env)
    return known.account ? { ...known, account: known.account } : null
  } catch (error) {
    if (error instanceof RackError && error.code === 'not-found') return null
    throw error
  }
}
