import { AccountClosed } from './clock.ts'
import type { FakeAccount } from './fake-service.ts'

/** Leaves something to itself: the account hears of what goes wrong, unless it is its own end. */
export function inBackground({ onTrouble }: Pick<FakeAccount, 'onTrouble'>, work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    if (!(error instanceof AccountClosed)) onTrouble(error)
  })
}
