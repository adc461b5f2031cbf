import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { ManagedRun, Service, ServiceRun } from '../../../domain/service.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { noteSaid, untilReady } from '../bring-up.ts'
import { isUnchanged, provisionAgain, refuseManaged } from '../managed.ts'
import type { PlannedUpdate, ServiceChange, UpdatedService } from './update-operations.ts'

type Sizes = Pick<ManagedRun, 'cpuUnits' | 'memoryBytes'>

/**
 * What of one that a cloud runs may be otherwise: how large it is.
 * @throws unsupported for its version, and for a kind of which a cloud makes none larger
 */
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
  if (!isSame) refuseFixed(service)
  return { kind: isSame && !before.was ? 'nothing' : 'machine', image: run.image, ...sizes }
}

function refuseFixed({ name, type }: Service): void {
  const why = findServiceType(type)?.managed?.sizeStays ?? null
  if (why === null) return
  throw new RackError('unsupported', `${name} stays as large as it is: ${why}`, {
    hint: `Make another one, link it, and delete this one: rack services create ${type} --managed --memory SIZE --name NAME, rack links create NAME --app APP --as ALIAS --promote, rack services delete ${name}`,
    details: { service: name, type },
  })
}

/**
 * Has the cloud run it on a machine of another size. Written down before, since whoever gives up does not stop the cloud;
 * taken back where that has left all as it was.
 * @throws invalid for more than the cloud has; unsupported; conflict; engine-failed; service-failed
 */
export async function resizeManaged(
  context: Context,
  service: Service,
  sizes: Sizes,
  control: Control,
): Promise<Omit<UpdatedService, 'service'>> {
  const { name } = service
  const began = context.now().getTime()
  const { was, ...before } = (await context.store.services.run(name))!.managed!
  const { cpuUnits, memoryBytes } = before
  const isRepeat = was && cpuUnits === sizes.cpuUnits && memoryBytes === sizes.memoryBytes
  await write(context, name, { ...before, ...sizes, was: isRepeat ? was : { cpuUnits, memoryBytes } })
  try {
    say(
      context,
      control,
      `the account changes ${name}; that takes some minutes, in which nobody may reach it`,
    )
    await provisionAgain(context, service, {}, control)
  } catch (error) {
    if (isUnchanged(error))
      await write(context, name, isRepeat ? { ...before, ...was } : { ...before, ...(was && { was }) })
    else if (control.signal.aborted)
      say(context, control, `the account goes on with ${name}: type the same again to see it through`)
    throw error
  }
  await write(context, name, { ...before, ...sizes })
  await noteSaid(context, name, await untilReady(context, service, control))
  return { pausedMs: context.now().getTime() - began, backup: null }
}

async function write({ store }: Context, name: string, managed: ManagedRun): Promise<void> {
  const run = (await store.services.run(name))!
  await store.services.change(name, { run: { ...run, managed } })
}
