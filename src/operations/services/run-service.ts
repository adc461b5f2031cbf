import { randomBytes } from 'node:crypto'
import { admitExtra } from '../../domain/admission.ts'
import type { BuiltImage } from '../../domain/build.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { ownerKey } from '../../domain/owner.ts'
import type { Service, ServiceRun } from '../../domain/service.ts'
import { imageAddress } from '../../domain/service-plan.ts'
import { makeId } from '../../domain/id.ts'
import type { ServiceType } from '../../services/service-type.ts'
import type { Context } from '../context.ts'
import type { NewService } from './service-operations.ts'
import { say } from '../say.ts'
import { deployService, noteSaid, serviceOwner, servicePlan, untilReady } from './bring-up.ts'
import { finishBehind } from './finish-end.ts'
import { provisionService } from './managed.ts'
import { runOf, wantedOf } from './run-of.ts'
import { changeService } from './service-work.ts'

/** How long an undo may take, whatever was cancelled. */
const undoMs = 120_000
const pullDeadlineMs = 30 * 60_000

/**
 * Runs a service from an image; settles when it takes a login and answers. What does not come so far is taken away again,
 * and its name is free. One that was deleted but for its data is what it was, with its data.
 * @param fill puts data into it, before it is there for anybody
 */
export async function runService(
  context: Context,
  type: ServiceType | null,
  asked: NewService,
  control: Control,
  fill: (service: Service, control: Control) => Promise<void> = async () => undefined,
): Promise<void> {
  const { name } = asked
  const left: Service[] = []
  const work = changeService(context, name, control, async (own) => {
    const before = await context.store.services.get(name)
    if (before) refuseOther(before, asked)
    const { cpuUnits, memoryBytes } = wantedOf(type, asked)
    using _room = await context.admission.admit(
      ownerKey(serviceOwner(name)),
      `the service ${name}`,
      (capacity) => admitExtra(asked.type, { cpuUnits, memoryBytes }, 1, capacity),
      own,
    )
    const says = asked.managed ? (type?.managed?.says ?? []) : saysOfDisk(context, type, asked)
    for (const text of [...(type?.says ?? []), ...says]) say(context, own, text)
    const service = before ?? (await writeDown(context, type, asked, own))
    if (before) await context.store.services.change(name, { status: 'returning' })
    try {
      if (before) await ensureImage(context, service, own)
      await bringUp(context, service, own, fill)
    } catch (error) {
      if (context.running.isInterrupted()) throw error
      if (await leaveToCloud(context, service, own)) left.push(service)
      else await takeBack(context, service, before !== null)
      throw error
    }
  })
  try {
    await work
  } finally {
    for (const service of left) finishBehind(context, service)
  }
}

/** What a cloud makes it finishes first, and then takes away: nobody is to wait for that. False for what runs here. */
async function leaveToCloud(context: Context, { name }: Service, control: Control): Promise<boolean> {
  if (!(await context.store.services.run(name))?.managed) return false
  await context.store.services.retire(name, 'deleting')
  say(
    context,
    control,
    `the account takes ${name} away by itself, which takes as long as to make it: its name is free when rack services shows it no more`,
  )
  return true
}

/** Where volumes are on no disk of the machine, for one that keeps something. */
function saysOfDisk({ engine }: Context, type: ServiceType | null, asked: NewService): string[] {
  const { diskVolumes, managedServices } = engine.features
  if (diskVolumes === true || diskVolumes.verdict !== 'translated' || asked.managed) return []
  if (!type || type.dataPath(asked.version ?? type.versions.usual) === null) return []
  const other = managedServices.includes(type.name) ? '; --managed has the account run it' : ''
  return [`its data lies in ${diskVolumes.into}, ${diskVolumes.why}${other}`]
}

function refuseOther({ name, type, status }: Service, asked: NewService): void {
  const isAgain = status === 'kept' && type === asked.type
  if (isAgain && asked.version === undefined && asked.image === undefined) return
  const hint = isAgain
    ? `It comes back as it was, with its data: leave out the version. Or drop the data: rack services delete ${name} --volumes`
    : status === 'kept'
      ? `Its data is kept, of a ${type}. Drop it with: rack services delete ${name} --volumes`
      : 'Choose another with --name NAME; rack services lists the ones that are taken.'
  throw new RackError('exists', `there is a service "${name}" already`, { hint, details: { service: name } })
}

/** Pulls its image and writes down how it runs, before anything is started. */
async function writeDown(
  context: Context,
  type: ServiceType | null,
  asked: NewService,
  control: Control,
): Promise<Service> {
  const { name } = asked
  return await context.images.whileMaking(control.signal, async () => {
    const built = await pullImage(context, asked, wantedOf(type, asked).image, control)
    const run = runOf(type, asked, built)
    const row = { name, type: asked.type, status: 'creating' as const, run }
    return await context.store.services.create(row, imageAddress(name, run))
  })
}

/** What a service was removed with may be its image, where an engine keeps that with what it runs. */
async function ensureImage(context: Context, service: Service, control: Control): Promise<void> {
  const { engine, store, images } = context
  const run = await store.services.run(service.name)
  if (!run?.built) return
  const { reference } = run.built
  if ((await engine.imagesHere([reference], control)).has(reference)) return
  await images.whileMaking(control.signal, async () => {
    const built = await pullImage(context, service, run.image, control)
    await store.services.change(service.name, { run: { ...run, built } })
  })
}

/** What runs it as an image, which is pulled where it is another one than before. @throws image-unavailable */
export async function imageFor(
  context: Context,
  { name, type }: Pick<Service, 'name' | 'type'>,
  from: ServiceRun,
  image: string,
  control: Control,
): Promise<ServiceRun['built']> {
  return image === from.image ? from.built : await pullImage(context, { name, type }, image, control)
}

/** `build` names what is made of it: another one each time unless given. @throws image-unavailable */
export async function pullImage(
  { engine, store }: Context,
  { name, type, build = makeId('B', randomBytes) }: Pick<Service, 'name' | 'type'> & { build?: string },
  image: string,
  control: Control,
): Promise<BuiltImage> {
  const built = await engine.build(
    {
      // No app is called so: a name of an image that a sweep knows as this rack's.
      app: `service.${name}`,
      build,
      images: [{ processes: [type], build: null, image }],
      source: nothing,
      logins: await store.registries.logins(),
      environment: {},
      noCache: false,
      deadlineMs: pullDeadlineMs,
    },
    control,
  )
  return built[type]!
}

async function bringUp(
  context: Context,
  service: Service,
  control: Control,
  fill: (service: Service, control: Control) => Promise<void>,
): Promise<void> {
  await provisionService(context, service, control)
  const plan = await servicePlan(context, service)
  await deployService(context, plan!, { isNew: true }, control)
  say(context, control, `${service.name} runs; waiting until it takes a login`)
  const says = await untilReady(context, service, control)
  await noteSaid(context, service.name, says)
  await fill(service, control)
  await context.store.services.change(service.name, { status: 'running' })
}

/** Under a signal of its own: the caller's may be what was cancelled. Data that was there before stays. */
async function takeBack(context: Context, { name }: Service, hadData: boolean): Promise<void> {
  const control = { signal: AbortSignal.timeout(undoMs), report: () => undefined }
  await context.engine.remove(serviceOwner(name), { volumes: !hadData }, control)
  if (hadData) await context.store.services.change(name, { status: 'kept' })
  else await context.store.services.remove(name)
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An image that is pulled is built of nothing.
}
