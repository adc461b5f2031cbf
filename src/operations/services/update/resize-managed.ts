import type { Control } from '../../../domain/control.ts'
import type { ManagedRun, Service, ServiceRun } from '../../../domain/service.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { noteSaid, untilReady } from '../bring-up.ts'
import { provisionWith, refuseManaged } from '../managed.ts'
import type { PlannedUpdate, ServiceChange, UpdatedService } from './update-operations.ts'

type Sizes = Pick<ManagedRun, 'cpuUnits' | 'memoryBytes'>

/** What of one that a cloud runs may be otherwise: how large it is. @throws unsupported for its version */
export function wantedOfManaged(
  service: Service,
  run: ServiceRun & { managed: ManagedRun },
  { version, image, cpuUnits, memoryBytes }: ServiceChange,
): Pick<PlannedUpdate, 'kind' | 'image' | 'cpuUnits' | 'memoryBytes'> {
  if (version !== undefined || image !== undefined) refuseManaged(service, run, 'its version stays as it is')
  const before = run.managed
  const sizes = {
    cpuUnits: cpuUnits ?? before.cpuUnits,
    memoryBytes: memoryBytes ?? before.memoryBytes,
  }
  const isSame = sizes.cpuUnits === before.cpuUnits && sizes.memoryBytes === before.memoryBytes
  return { kind: isSame ? 'nothing' : 'machine', image: run.image, ...sizes }
}

/**
 * Has the cloud run it on a machine of another size. Written down once it is so: whoever gives up before types it again.
 * @throws invalid for more than the cloud has; engine-failed; service-failed
 */
export async function resizeManaged(
  context: Context,
  service: Service,
  sizes: Sizes,
  control: Control,
): Promise<Omit<UpdatedService, 'service'>> {
  const { name } = service
  const began = context.now().getTime()
  try {
    say(
      context,
      control,
      `the account changes ${name}; that takes some minutes, in which nobody may reach it`,
    )
    await provisionWith(context, service, sizes, control)
  } catch (error) {
    if (control.signal.aborted)
      say(context, control, `the account goes on with ${name}: type the same again to see it through`)
    throw error
  }
  const run = (await context.store.services.run(name))!
  await context.store.services.change(name, { run: { ...run, managed: { ...run.managed!, ...sizes } } })
  await noteSaid(context, name, await untilReady(context, service, control))
  return { pausedMs: context.now().getTime() - began, backup: null }
}
