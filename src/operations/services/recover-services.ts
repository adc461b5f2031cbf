import type { Control } from '../../domain/control.ts'
import { addResources, noResources } from '../../domain/rack.ts'
import { ownerKey } from '../../domain/owner.ts'
import { hostedType, type Service } from '../../domain/service.ts'
import type { Context } from '../context.ts'
import type { Attempts } from '../journal/attempts.ts'
import { serviceOwner, untilReady } from './bring-up.ts'
import { convergeService } from './converge-service.ts'
import { finishBehind, finishEnd } from './finish-end.ts'
import { createLoginsAgain } from './logins.ts'
import { findCopy } from './running-service.ts'
import { dropClient } from './hosted/with-client.ts'
import { isChanging } from './service-work.ts'
import { openEntrance } from './sharing/entrance.ts'
import { endShares } from './sharing/shares.ts'
import { dropVolumes, endStages, otherVolumes } from './stage.ts'

/**
 * Brings back the services of a rack whose daemon or engine was away: what ran runs again, what was going goes, and what
 * was being created is taken back. Failures are told to `attempts`.
 */
export async function recoverServices(context: Context, attempts: Attempts, control: Control): Promise<void> {
  const all = await context.store.services.list()
  // Before what is shared is there again: who was shut out stays out.
  await attempts.run('let other racks in', async () => await openEntrance(context, control))
  await Promise.all(
    all.map(async (service) =>
      attempts.run(`bring back the service ${service.name}`, async () => {
        using _room = await holdService(context, service)
        await recoverOne(context, service.name, control)
      }),
    ),
  )
  await attempts.run('end shares that are over', async () => await endShares(context, control))
}

/** The room that the service takes when it runs. */
async function holdService(context: Context, service: Service): Promise<Disposable> {
  const run = service.status === 'running' ? await context.store.services.run(service.name) : null
  const room = run ? addResources(noResources, run, 1) : noResources
  return context.admission.hold(ownerKey(serviceOwner(service.name)), room)
}

async function recoverOne(context: Context, name: string, control: Control): Promise<void> {
  // What is being changed here is brought about, or undone, by who changes it.
  if (isChanging(context, name)) return
  await context.turns.run(ownerKey(serviceOwner(name)), control.signal, async () => {
    const service = await context.store.services.get(name)
    if (!service) return
    const { status } = service
    if (status === 'running') return await recoverRunning(context, service, control)
    // Nobody waits any more for one that was being created.
    const isNew = status === 'creating' || status === 'deleting'
    if (status === 'kept') return
    if ((await context.store.services.run(name))?.managed) return finishBehind(context, service)
    await finishEnd(context, service, { volumes: isNew }, control)
  })
}

/** As it is written down: what had been begun beside it goes, and the volumes that were left or not yet taken. */
async function recoverRunning(context: Context, service: Service, control: Control): Promise<void> {
  const { name } = service
  const run = await context.store.services.run(name)
  // Of one that somebody else runs, what a backup had begun.
  if (!run) return service.type === hostedType ? await dropClient(context, name) : undefined
  await endStages(context, name, control)
  await convergeService(context, service, control)
  const others = await otherVolumes(context, name, run, control)
  if (others.length === 0) return
  await untilReady(context, service, control)
  await createLoginsAgain(context, service, await findCopy(context, name, control), control)
  await dropVolumes(context, name, others, control)
}
