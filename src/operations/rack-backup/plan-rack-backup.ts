import type { Control } from '../../domain/control.ts'
import type { RackBackupContents, RackBackupScope } from '../../domain/rack-backup.ts'
import { hostedType, runsHere, type Service } from '../../domain/service.ts'
import { withheldBecause } from '../services/managed.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { livePlanOf } from '../read-release.ts'
import { listVolumes } from '../volumes.ts'
import { restoreHindrance } from './take-in.ts'

/** A backup of the rack before anything of it is read. */
export interface RackBackupPlan {
  contents: RackBackupContents
  /** References of images. */
  images: string[]
  volumes: { app: string; name: string }[]
}

/** Decides what goes into a backup of the rack. @throws conflict while one is put back; unsupported */
export async function planRackBackup(
  context: Context,
  scope: RackBackupScope,
  control: Control,
): Promise<RackBackupPlan> {
  const hindrance = await restoreHindrance(context)
  if (hindrance) throw hindrance
  // One that nobody could put back is not begun.
  context.host.configuration()
  const [volumes, services, images] = await Promise.all([
    listVolumes(context, { sizes: false }, control),
    context.store.services.list(),
    liveImages(context),
  ])
  const [kept, left] = partition(volumes, ({ leftOver }) => !leftOver)
  const withheld = await withheldNames(context, services)
  const [able, unable] = partition(services, (each) => canBeDumped(each) && !withheld.has(each.name))
  const nameOf = ({ app, name }: { app: string; name: string }) => `${app}/${name}`
  const lacks = [
    ...lack(scope.volumes, 'the data of volumes', kept.map(nameOf), '--volumes takes it'),
    ...lack(false, 'volumes of apps that are no more', left.map(nameOf), 'rack volumes backup keeps one'),
    ...lack(
      scope.services,
      'the data of services',
      able.map(({ name }) => name),
      '--services takes it',
    ),
    ...unable.map(reasonOf),
    ...lack(scope.images, 'images', images, 'apps have to be deployed again'),
    'images of releases that are not live, which cannot be rolled back to without a build',
    'what apps mount of this machine: folders of it, and volumes that are external',
    'logs of processes, one-offs that run now, and caches of builds',
  ]
  return {
    images: scope.images ? images : [],
    volumes: scope.volumes ? kept : [],
    contents: {
      rack: context.rack.name,
      version: context.rack.version,
      created: context.now().toISOString(),
      images: scope.images ? images.length : 0,
      volumes: scope.volumes ? kept.map(nameOf) : [],
      services: scope.services ? able.map(({ name }) => name) : [],
      lacks,
    },
  }
}

/** Of every app and service as they run now. */
async function liveImages(context: Context): Promise<string[]> {
  const { store } = context
  const images = new Set<string>()
  for (const { name } of await store.apps.list())
    for (const { image } of (await livePlanOf(context, name))?.processes ?? []) images.add(image)
  for (const service of await store.services.list()) {
    const built = service.status === 'running' ? (await store.services.run(service.name))?.built : null
    if (built) images.add(built.reference)
  }
  return [...images].sort()
}

/** Of those whose data a cloud gives nobody. */
async function withheldNames({ store }: Context, services: Service[]): Promise<Set<string>> {
  const found = services.map(async ({ name, type }) => {
    const isManaged = (await store.services.run(name))?.managed !== undefined
    return withheldBecause(type, isManaged) === null ? [] : [name]
  })
  return new Set((await Promise.all(found)).flat())
}

function canBeDumped(service: Service): boolean {
  return (
    runsHere(service) && service.status === 'running' && findServiceType(service.type)?.data !== undefined
  )
}

function reasonOf({ name, type, status }: Service): string {
  if (type === hostedType) return `the data of ${name}, which somebody else runs`
  if (!runsHere({ type })) return `the data of ${name}, which is another rack's`
  if (status !== 'running') return `the data of ${name}, which does not run (${status})`
  return `the data of ${name}: the rack does not know how to back up a ${type}`
}

function lack(isHeld: boolean, what: string, names: string[], how: string): string[] {
  return isHeld || names.length === 0 ? [] : [`${what} (${shortList(names)}): ${how}`]
}

const mostNames = 5

function shortList(names: string[]): string {
  const rest = names.length - mostNames
  return [...names.slice(0, mostNames), ...(rest > 0 ? [`${rest} more`] : [])].join(', ')
}

function partition<T>(all: T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((item) => !isFirst(item))]
}
