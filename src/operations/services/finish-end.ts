import type { Control } from '../../domain/control.ts'
import { codeOf, knownError } from '../../domain/error.ts'
import type { Service } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from './bring-up.ts'
import { deprovisionService } from './managed.ts'
import { changeService, isChanging } from './service-work.ts'

/** As `finishEnd`, behind everybody: a cloud takes its time to take one away. Nothing where it is being done. */
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
