import { removeInstalledMark, writeInstalledMark, type InstalledMark } from '../../account/installed-mark.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import type { Outputs } from '../../account/places.ts'
import type { Control } from '../../domain/control.ts'
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
}

const markDeadlineMs = 60_000

/** Says that it is installed, before anything is started that would be a second daemon of it; `undo` takes it back. */
export async function markInstalled(
  { account: { clients }, undo, control }: Making,
  bucket: string,
  mark: InstalledMark,
): Promise<void> {
  // Also where the call is done, and its answer lost.
  undo.defer(() => removeInstalledMark({ clients, bucket }, { signal: AbortSignal.timeout(markDeadlineMs) }))
  await writeInstalledMark({ clients, bucket }, mark, control)
}
