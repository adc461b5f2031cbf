import type { Control } from '../../src/domain/control.ts'
import type { Engine } from '../../src/domain/engine.ts'
import type { Operation } from '../../src/domain/operation.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Store } from '../../src/domain/store.ts'
import { until } from '../../src/lib/poll.ts'

/** Settles when a change of this kind has an open row. */
export async function whenBegun(store: Pick<Store, 'operations'>, kind: Operation['kind']): Promise<void> {
  const isOpen = async () => (await store.operations.running()).some((row) => row.kind === kind)
  await until(isOpen, { deadlineMs: 5_000, intervalMs: 5, what: `a ${kind} to begin` })
}

/** Settles when a release has a copy, healthy or not. */
export async function whenCopied(
  { engine, control }: { engine: Engine; control: Control },
  release: string,
): Promise<void> {
  const isThere = async () =>
    (await engine.processes({ owner: appOwner('shop') }, control)).some((copy) => copy.release === release)
  await until(isThere, { deadlineMs: 5_000, intervalMs: 5, what: `a copy of ${release}` })
}
