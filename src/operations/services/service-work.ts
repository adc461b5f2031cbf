import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { ownerKey } from '../../domain/owner.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from './bring-up.ts'

const idOf = (name: string) => `service ${name}`

/**
 * Changes a service: one change at a time, which a lost client does not end.
 * @throws busy while another change runs; unreachable once the daemon stops
 */
export async function changeService<T>(
  context: Context,
  name: string,
  control: Control,
  work: (control: Control) => Promise<T>,
): Promise<T> {
  refuseChanging(context, name)
  return await context.running.run(idOf(name), (signal) =>
    context.turns.run(ownerKey(serviceOwner(name)), signal, () => work({ ...control, signal })),
  )
}

/** @throws busy */
export function refuseChanging(context: Context, name: string): void {
  if (!isChanging(context, name)) return
  throw new RackError('busy', `the service ${name} is being changed`, {
    hint: `Wait until that has ended; rack services delete ${name} ends its creation.`,
  })
}

export function isChanging({ running }: Context, name: string): boolean {
  return running.has(idOf(name))
}

/** Settles when the change that runs has ended, whatever its end. */
export async function changeEnded({ running }: Context, name: string): Promise<void> {
  await running.ended(idOf(name))
}

/** Ends the change that runs and settles when it is undone; nothing where none runs. */
export async function endChange(
  { running }: Context,
  name: string,
  why = `the service ${name} is wanted no more`,
): Promise<void> {
  await running.cancel(idOf(name), new RackError('cancelled', why))
}
