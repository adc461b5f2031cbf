import type { Control } from '../../domain/control.ts'
import { codeOf, knownError } from '../../domain/error.ts'
import type { Service } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from './bring-up.ts'
import { deprovisionService, identityOf } from './managed.ts'
import type { DeletedService } from './service-operations.ts'
import { changeEnded, changeService, endChange, isChanging } from './service-work.ts'
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
  // What a cloud was making is taken away behind who wanted it.
  if (status === 'creating' && managed && isChanging(context, name)) await changeEnded(context, name)
  // Its creation has taken it back, or another one has deleted it.
  if (status !== 'running' && !(await context.store.services.get(name)))
    return { snapshot: managed ? await context.engine.deprovision(identityOf(name, managed), control) : null }
  return await changeService(context, name, control, async (own) => {
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
}

/** The same behind everybody: a cloud takes its time to take one away. Nothing where it is being done. */
export function finishBehind(context: Context, service: Service): void {
  const { name } = service
  if (isChanging(context, name)) return
  const alone = { signal: new AbortController().signal, report: () => undefined }
  changeService(context, name, alone, (own) => finishEnd(context, service, { volumes: true }, own)).catch(
    (error: unknown) => {
      if (context.running.isInterrupted()) return
      const facts = { code: codeOf(error), reason: knownError(error).message }
      context.log('error', `${name} is not taken away yet; again by: rack services delete ${name}`, facts)
    },
  )
}

/** Removes what is left of a service that goes; safe to repeat. Gives the name of what a cloud keeps of it. */
export async function finishEnd(
  context: Context,
  service: Service,
  { volumes }: { volumes: boolean },
  control: Control,
): Promise<string | null> {
  const { engine, store } = context
  const { name } = service
  await engine.remove(serviceOwner(name), { volumes }, control)
  const snapshot = await deprovisionService(context, service, control)
  if (volumes) await store.services.remove(name)
  else await store.services.change(name, { status: 'kept' })
  return snapshot
}
