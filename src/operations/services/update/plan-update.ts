import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { refuseUnready, type Service, type ServiceRun } from '../../../domain/service.ts'
import { serviceVolumes } from '../../../domain/service-plan.ts'
import type { ServiceType } from '../../../services/service-type.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { serviceOwner } from '../bring-up.ts'
import { isManaged } from '../managed.ts'
import { anyImage } from '../run-of.ts'
import { noneOf, versionOf } from '../running-service.ts'
import { findService } from '../services.ts'
import { wantedOfManaged } from './change-managed.ts'
import type { PlannedUpdate, ServiceChange } from './update-operations.ts'

/** Two servers come up and one goes; then so much of a volume is dumped, kept and put back in a second. */
const leastMs = 15_000
const bytesPerSecond = 10 * 2 ** 20

/** @throws not-found; conflict for one that does not run; unsupported for one that somebody else runs; invalid */
export async function planUpdate(
  context: Context,
  name: string,
  change: ServiceChange,
  control: Control,
): Promise<PlannedUpdate> {
  const { service, run } = await findRun(context, name)
  if (isManaged(run)) {
    const { version: _version, ...planned } = wantedOfManaged(service, run, change)
    return { ...planned, bytes: null, estimateMs: null }
  }
  const wanted = { ...wantedOf(service, run, change), says: null }
  if (wanted.kind !== 'upgrade') return { ...wanted, bytes: null, estimateMs: null }
  const volumes = await context.engine.volumes({ owner: serviceOwner(name), sizes: true }, control)
  const own = volumes.filter((volume) => serviceVolumes(run).includes(volume.name))
  const bytes = own.reduce<number | null>(
    (sum, volume) => (sum === null || volume.bytes === null ? null : sum + volume.bytes),
    0,
  )
  return { ...wanted, bytes, estimateMs: bytes === null ? null : estimate(bytes) }
}

function estimate(bytes: number): number {
  return leastMs + Math.round((bytes / bytesPerSecond) * 1000)
}

/** @throws not-found; conflict; unsupported */
export async function findRun(
  context: Context,
  name: string,
): Promise<{ service: Service; run: ServiceRun }> {
  const service = await findService(context, name)
  refuseUnready(service)
  const run = await context.store.services.run(name)
  if (!run) throw noneOf(service, 'version, CPU or memory that the rack gives it')
  return { service, run }
}

/** What it comes to, without a look at its data. @throws invalid; conflict */
export function wantedOf(
  service: Service,
  run: ServiceRun,
  { version, image, cpuUnits, memoryBytes }: ServiceChange,
): Pick<PlannedUpdate, 'kind' | 'image' | 'cpuUnits' | 'memoryBytes'> {
  const type = findServiceType(service.type)
  const wanted = imageOf(service, run, { type, version, image })
  const resources = {
    cpuUnits: cpuUnits ?? run.cpuUnits,
    memoryBytes: memoryBytes ?? run.memoryBytes,
  }
  const isSame =
    wanted === run.image && resources.cpuUnits === run.cpuUnits && resources.memoryBytes === run.memoryBytes
  if (isSame) return { kind: 'nothing', image: wanted, ...resources }
  const isUpgrade =
    version !== undefined && type !== null && needsNewVolume(service, type, versionOf(run.image), version)
  if (isUpgrade && run.previous) throw unfinished(service.name, run.previous)
  return { kind: isUpgrade ? 'upgrade' : 'restart', image: wanted, ...resources }
}

function imageOf(
  { name, type: word }: Service,
  run: ServiceRun,
  { type, version, image }: Pick<ServiceChange, 'version' | 'image'> & { type: ServiceType | null },
): string {
  const isAny = word === anyImage
  if (image !== undefined && !isAny) {
    throw new RackError('invalid', `${name} is a ${word}, whose image its version names`, {
      hint: `rack services update ${name} --version VERSION`,
    })
  }
  if (version !== undefined && isAny) {
    throw new RackError('invalid', `${name} has no version but its image`, {
      hint: `rack services update ${name} --image IMAGE`,
    })
  }
  return image ?? (version === undefined ? run.image : type!.image(version))
}

/** @throws invalid for what does not take the data that there is */
function needsNewVolume(
  { name }: Service,
  { versions, data }: ServiceType,
  from: string,
  to: string,
): boolean {
  if (data === null || versions.format(from) === versions.format(to)) return false
  if (data.canRestore(from, to)) return true
  throw new RackError('invalid', `${name} is of version ${from}, whose data ${to} does not take`, {
    hint: 'Name a newer one. An older one is made anew, without its data: rack services create',
  })
}

/** What was there before is kept once. */
function unfinished(name: string, previous: ServiceRun): RackError {
  return new RackError('conflict', `the data of ${name} as ${previous.image} had it is still kept`, {
    hint: `Drop it first: rack services update ${name} --finish; or go back to it: --undo`,
  })
}
