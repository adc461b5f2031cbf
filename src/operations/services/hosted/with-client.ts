import { admitExtra } from '../../../domain/admission.ts'
import type { Control } from '../../../domain/control.ts'
import { ownerKey } from '../../../domain/owner.ts'
import type { Service } from '../../../domain/service.ts'
import type { DataCare } from '../../../services/service-type.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { serviceOwner } from '../bring-up.ts'
import { runBeside } from '../run-beside.ts'
import { runInside } from '../run-inside.ts'
import { runOf } from '../run-of.ts'
import { pullImage } from '../run-service.ts'
import { changeService } from '../service-work.ts'
import { clientOf, programsFor, type HostedService, type Programs } from './hosted-type.ts'

/** A client of a server elsewhere, in which commands run: what the rack knows of a service, of the type that it really is. */
export interface HostedSource {
  service: Service
  /** Of the programs, and so of the dump. */
  version: string
  copy: string
  data: DataCare
}

/** How long the end may take, whatever was cancelled. */
const endMs = 120_000
const each = { cpuUnits: 128, memoryBytes: 256 * 2 ** 20 }

/**
 * Runs a container of the image that has the programs for a server elsewhere, for as long as something is done with them.
 * It is alone on a network of its own, and holds no secret: a password goes into each command.
 * @throws unsupported; busy; capacity; image-unavailable; service-failed with what the programs say
 */
export async function withClient<T>(
  context: Context,
  hosted: HostedService,
  control: Control,
  work: (source: HostedSource, control: Control) => Promise<T>,
): Promise<T> {
  const { name } = hosted.service
  return await changeService(context, name, control, async (change) => {
    // Who has asked and leaves ends it, too.
    const own = { ...change, signal: AbortSignal.any([change.signal, control.signal]) }
    const ask = (capacity: Parameters<typeof admitExtra>[3]) => admitExtra('client', each, 1, capacity)
    using _room = await context.admission.admit(ownerKey(serviceOwner(name)), `a client of ${name}`, ask, own)
    const usual = { type: hosted.type, version: hosted.type.versions.usual }
    const begun = await inClient<{ result: T } | { programs: Programs }>(
      context,
      hosted,
      usual,
      own,
      async (copy) => {
        const inside = clientOf(hosted, usual.type).version
        const server = await runInside(context.engine, copy, { inside }, own)
        const programs = programsFor(hosted, usual, server)
        if (programs.type === usual.type && programs.version === usual.version) {
          return { result: await work(sourceOf(hosted, usual, copy), own) }
        }
        const image = programs.type.image(programs.version)
        const text = `the server of ${name} is ${server}, which is not for ${usual.type.image(usual.version)}: taking ${image}`
        say(context, own, text)
        return { programs }
      },
    )
    if ('result' in begun) return begun.result
    const { programs } = begun
    return await inClient(context, hosted, programs, own, (copy) =>
      work(sourceOf(hosted, programs, copy), own),
    )
  })
}

/** Its parts are those of the type, as far as the other server gives them away. */
function sourceOf(hosted: HostedService, { type, version }: Programs, copy: string): HostedSource {
  const client = clientOf(hosted, type)
  const parts = type.data.parts(client.data === '' ? [] : [client.data]).flatMap((part) => {
    const dump = client.dump(part.name)
    return dump ? [{ ...part, dump }] : []
  })
  const data = { ...type.data, list: null, parts: () => parts }
  return { service: { ...hosted.service, type: type.name }, version, copy, data }
}

async function inClient<T>(
  context: Context,
  { service }: HostedService,
  { type, version }: Programs,
  control: Control,
  work: (copy: string) => Promise<T>,
): Promise<T> {
  const asked = { name: service.name, type: type.name, version }
  const image = type.image(version)
  try {
    // Until something runs on it, nothing names the image.
    const { copy, exit, life } = await context.images.whileMaking(control.signal, async () => {
      const built = await pullImage(context, { ...asked, build: clientBuild }, image, control)
      const run = { ...runOf(type, asked, built), ...each, environment: {}, dataPaths: [], stopGraceMs: 0 }
      const how = { type: 'client', command: waiting, internalPorts: [], signal: control.signal }
      return await runBeside(context, service, run, how)
    })
    try {
      return await work(copy)
    } finally {
      life.abort()
      await exit.catch(() => undefined)
    }
  } finally {
    await dropClient(context, service.name)
  }
}

/** Ends what runs for a service that somebody else runs, and takes its network away. Safe to repeat. */
export async function dropClient(context: Context, name: string): Promise<void> {
  const control = { signal: AbortSignal.timeout(endMs), report: () => undefined }
  await context.engine.remove(serviceOwner(name), { volumes: true }, control)
}

/** The same each time: one name of an image for a service, however often it is backed up. */
const clientBuild = 'BAAAAAAAAAA'

/** Until it is killed. */
const waiting = ['sleep', '2147483647']
