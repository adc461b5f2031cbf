import {
  claimInstalledMark,
  describeMark,
  removeInstalledMark,
  type InstalledMark,
} from '../../account/installed-mark.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import type { Outputs } from '../../account/places.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import type { Session } from '../session.ts'
import type { AccountOptions } from './account-options.ts'

/** A rack that is being made, in the account that it is made in. */
export interface Making {
  session: Session
  account: OpenAccount
  wanted: AccountOptions
  /** What the base stack says of itself. */
  base: Outputs
  undo: AsyncDisposableStack
  control: Control
  /** Ends what watches the account: from then on nothing is interrupted. */
  unwatch(): void
  /** Leaves what stands in the account to another, whose rack it is. */
  leaveStacks(): void
}

const markDeadlineMs = 60_000

/**
 * Says that it is installed, before anything is started that would be a second daemon of it; `undo` takes it back.
 * @throws exists where another install of the same name was there first
 */
export async function markInstalled(making: Making, bucket: string, mark: InstalledMark): Promise<void> {
  const { wanted, undo, control } = making
  const { clients } = making.account
  let isOurs = true
  // Also where the call is done, and its answer lost.
  undo.defer(async () => {
    const signal = AbortSignal.timeout(markDeadlineMs)
    if (isOurs) await removeInstalledMark({ clients, bucket }, { signal })
  })
  const first = await claimInstalledMark({ clients, bucket }, mark, control)
  if (first === null) return
  isOurs = false
  making.leaveStacks()
  throw alreadyInstalled(wanted, first)
}

export function alreadyInstalled(
  { name, region }: Pick<AccountOptions, 'name' | 'region'>,
  mark: InstalledMark,
): RackError {
  return new RackError('exists', `there is a rack "${name}" in ${region} of this account already`, {
    hint: `Its daemon is ${describeMark(mark)}. Choose another name: --name NAME`,
  })
}
