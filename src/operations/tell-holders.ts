import { isOneOf, type Caller } from '../domain/caller.ts'
import { tellHolders, type Holder, type Told } from '../domain/rack.ts'

/** Who holds how much: the amounts of all, and the names of those that the caller may know of. */
export function tellHoldersTo<T extends { holders: Holder[] }>(caller: Caller, account: T): Told<T> {
  const told = tellHolders(account)
  if (caller.apps === null) return told
  const holders = told.holders.map((holder) => {
    const isKnown = holder.kind !== 'service' && isOneOf(caller, holder.app)
    return isKnown ? holder : { ...holder, app: unnamed, type: unnamed }
  })
  return { ...told, holders }
}

const unnamed = '–'
