import type { Control } from '../../domain/control.ts'
import { codeOf } from '../../domain/error.ts'
import type { Context } from '../context.ts'
import { finishEnd } from './finish-end.ts'
import { identityOf } from './managed.ts'
import type { DeletedService } from './service-operations.ts'
import { changeEnded, changeService, endChange } from './service-work.ts'
import { findService } from './services.ts'

/**
 * Deletes a service; one that runs here is kept with its data, unless `volumes` drops it. One that is being created is
 * taken back. Of one that a cloud runs, the cloud keeps a last snapshot, whose name it gives.
 * @throws not-found; conflict while an app links it
 */
export async function deleteService(
  context: Context,
  name: string,
  { volumes }: { volumes: boolean },
  control: Control,
): Promise<DeletedService> {
  const { status } = await findService(context, name)
  const managed = (await context.store.services.run(name))?.managed
  // A deletion that is under way is waited for, and not begun anew: of a database it takes long.
  if (status === 'deleting' || status === 'retiring') await changeEnded(context, name)
  else await endChange(context, name)
  // Its creation has taken it back, or another one has deleted it.
  const leftBehind = async () => ({
    snapshot: managed ? await context.engine.deprovision(identityOf(name, managed), control) : null,
  })
  if (status !== 'running' && !(await context.store.services.get(name))) return await leftBehind()
  const work = changeService(context, name, control, async (own) => {
    const service = await findService(context, name)
    const run = await context.store.services.run(name)
    if (run === null) {
      await context.store.services.remove(name)
      return { snapshot: null }
    }
    const isWhole = volumes || run.managed !== undefined
    await context.store.services.retire(name, isWhole ? 'deleting' : 'retiring')
    return { snapshot: await finishEnd(context, service, { volumes: isWhole }, own) }
  })
  try {
    return await work
  } catch (error) {
    // What a cloud was making is taken away behind who wanted it.
    if (!managed || status !== 'creating' || codeOf(error) !== 'busy') throw error
    await changeEnded(context, name)
    return await leftBehind()
  }
}
