import { isDeepStrictEqual } from 'node:util'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type {
  AskedOfCloud,
  ManagedRun,
  Service,
  ServiceAddress,
  ServiceRun,
} from '../../../domain/service.ts'
import type { ServiceType } from '../../../services/service-type.ts'
import { findServiceType } from '../../../services/service-types.ts'
import { isSameOrNewer } from '../../../services/versions.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { clientImage, isUnchanged, provisionAgain, refuseManaged, refuseVersion, runAt } from '../managed.ts'
import { imageFor } from '../run-service.ts'
import { switchRun } from '../switch-run.ts'
import type { PlannedUpdate, ServiceChange, UpdatedService } from './update-operations.ts'

type Managed = ServiceRun & { managed: ManagedRun }

/**
 * What of one that a cloud runs may be otherwise: its version, forward only, and how large it is.
 * @throws invalid for a version that the cloud has not, or that is older; unsupported for a kind of which it makes none larger
 */
export function wantedOfManaged(
  service: Service,
  run: Managed,
  { version, image, cpuUnits, memoryBytes }: ServiceChange,
): Pick<PlannedUpdate, 'kind' | 'image' | 'says'> & AskedOfCloud {
  if (image !== undefined) refuseManaged(service, run, 'its image is that of a client')
  const type = findServiceType(service.type)!
  const { was, ...before } = run.managed
  const asked = {
    version: version ?? before.version,
    cpuUnits: cpuUnits ?? before.cpuUnits,
    memoryBytes: memoryBytes ?? before.memoryBytes,
  }
  const isSameSize = asked.cpuUnits === before.cpuUnits && asked.memoryBytes === before.memoryBytes
  if (!isSameSize) refuseFixed(service, type)
  const isOther = [before, was ?? before].some((each) => each.version !== asked.version)
  if (isOther) refuseBackward(service, type, run, asked.version)
  const wanted = { image: isOther ? clientImage(type, asked.version) : run.image, ...asked }
  if (isOther) return { kind: 'version', ...wanted, says: type.managed!.newVersion }
  return { kind: isSameSize && !was ? 'nothing' : 'machine', ...wanted, says: null }
}

function refuseFixed({ name, type }: Service, { managed }: ServiceType): void {
  const why = managed?.sizeStays ?? null
  if (why === null) return
  throw new RackError('unsupported', `${name} stays as large as it is: ${why}`, {
    hint: `Make another one, link it, and delete this one: rack services create ${type} --managed --memory SIZE --name NAME, rack links create NAME --app APP --as ALIAS --promote, rack services delete ${name}`,
    details: { service: name, type },
  })
}

/** A cloud takes none back. What it was before a change of which nobody knows the end may be what it still is. */
function refuseBackward(
  { name }: Service,
  type: ServiceType,
  { says, managed: { version: before, was } }: Managed,
  version: string,
): void {
  refuseVersion(type, version)
  const { name: word, versions } = type
  const isOwnSeries = type.managed!.bringsSeries && version !== versions.format(version)
  if (isOwnSeries) {
    throw new RackError('invalid', `RDS brings ${name} to newer versions of a series by itself`, {
      hint: `Name the series: rack services update ${name} --version ${versions.format(version)}`,
      details: { service: name, version },
    })
  }
  const known = [before, ...(was ? [was.version] : [])]
  // Of a series that was asked for, the server alone says which version it has of it.
  const floors = type.managed!.bringsSeries || was || says === null ? known : [says]
  if (floors.some((floor) => isSameOrNewer(floor, version, 3))) return
  throw new RackError('invalid', `${name} is of version ${floors[0]!}, and the account takes none back`, {
    hint: `An older one is made anew, without its data: rack services create ${word} --managed --version ${version} --name NAME`,
    details: { service: name, version },
  })
}

/**
 * Has the cloud run it otherwise. Written down before, since whoever gives up does not stop the cloud; taken back where
 * that has left all as it was. Its client is of the same version in the end.
 * @throws invalid for more than the cloud has; unsupported; conflict; image-unavailable; engine-failed; service-failed
 */
export async function changeManaged(
  context: Context,
  service: Service,
  { kind, image, says, ...asked }: ReturnType<typeof wantedOfManaged>,
  control: Control,
): Promise<Omit<UpdatedService, 'service'>> {
  const { name } = service
  const began = context.now().getTime()
  const from = (await context.store.services.run(name))!
  const { was, ...before } = from.managed!
  const now: AskedOfCloud = {
    version: before.version,
    cpuUnits: before.cpuUnits,
    memoryBytes: before.memoryBytes,
  }
  const isRepeat = was && isDeepStrictEqual(now, asked)
  const built = await imageFor(context, service, from, image, control)
  await write(context, name, { ...before, ...asked, was: isRepeat ? was : now })
  let address: ServiceAddress
  try {
    const minutes = kind === 'version' ? 'ten minutes or more' : 'some minutes'
    say(
      context,
      control,
      `the account changes ${name}; that takes ${minutes}, in which nobody may reach it${says === null ? '' : `. ${says}`}`,
    )
    address = await provisionAgain(context, service, {}, control)
  } catch (error) {
    if (isUnchanged(error))
      await write(context, name, isRepeat ? { ...before, ...was } : { ...before, ...(was && { was }) })
    else if (control.signal.aborted)
      say(context, control, `the account goes on with ${name}: type the same again to see it through`)
    throw error
  }
  const to = runAt({ ...from, image, built, managed: { ...before, ...asked } }, service.type, address)
  await switchRun(context, service, { from, to }, control)
  return { pausedMs: context.now().getTime() - began, backup: null }
}

async function write({ store }: Context, name: string, managed: ManagedRun): Promise<void> {
  const run = (await store.services.run(name))!
  await store.services.change(name, { run: { ...run, managed } })
}
