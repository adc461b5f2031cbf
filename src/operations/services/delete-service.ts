import type { Control } from '../../domain/control.ts'
import type { Service } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from './bring-up.ts'
import { changeService, endChange } from './service-work.ts'
import { findService } from './services.ts'

/**
 * Deletes a service; one that runs here is kept with its data, unless `volumes` drops it. One that is being created is
 * taken back.
 * @throws not-found; conflict while an app links it
 */
export async function deleteService(
  context: Context,
  name: string,
  { volumes }: { volumes: boolean },
  control: Control,
): Promise<void> {
  const { status } = await findService(context, name)
  await endChange(context, name)
  // Its creation has taken it back.
  if (status !== 'running' && !(await context.store.services.get(name))) return
  await changeService(context, name, control, async (own) => {
    const service = await findService(context, name)
    if ((await context.store.services.run(name)) === null) return await context.store.services.remove(name)
    await context.store.services.retire(name, volumes ? 'deleting' : 'retiring')
    await finishEnd(context, service, { volumes }, own)
  })
}

/** Removes what is left of a service that goes; safe to repeat. */
export async function finishEnd(
  { engine, store }: Context,
  { name }: Service,
  { volumes }: { volumes: boolean },
  control: Control,
): Promise<void> {
  await engine.remove(serviceOwner(name), { volumes }, control)
  if (volumes) await store.services.remove(name)
  else await store.services.change(name, { status: 'kept' })
}
