import { randomBytes } from 'node:crypto'
import { RackError } from '../../domain/error.ts'
import type { BuiltImage } from '../../domain/build.ts'
import type { ServiceRun } from '../../domain/service.ts'
import type { ServiceType } from '../../services/service-type.ts'
import { clientImage } from './managed.ts'
import type { NewService } from './service-operations.ts'

/** What is asked of a service that runs from an image, and what its type says where nothing is. */
export interface Wanted {
  image: string
  cpuUnits: number
  memoryBytes: number
}

/** The type of images that no type is known for. */
export const anyImage = 'image'

/** @throws invalid for what the type does not take */
export function wantedOf(type: ServiceType | null, asked: NewService): Wanted {
  const { image, version, cpuUnits, memoryBytes, managed = false } = asked
  if (type && image !== undefined) {
    throw new RackError('invalid', `a ${type.name} runs from the image that its version names`, {
      hint: `rack services create ${type.name} --version VERSION, or create image --image ${image} --port PORT`,
    })
  }
  const imageOf = managed ? clientImage : (of: ServiceType, asked: string) => of.image(asked)
  const name = type ? imageOf(type, version ?? type.versions.usual) : image
  if (name === undefined) {
    throw new RackError('invalid', 'which image?', {
      hint: 'rack services create image --image my/thing:1 --port 9000 --name thing',
    })
  }
  if (managed) return { image: name, ...clientResources }
  const { cpuUnits: cpu, memoryBytes: memory } = type ?? anyResources
  return { image: name, cpuUnits: cpuUnits ?? cpu, memoryBytes: memoryBytes ?? memory }
}

/** What runs here for one that a cloud runs. */
const clientResources = { cpuUnits: 128, memoryBytes: 256 * 2 ** 20 }
/** Until it is told to end. */
const waiting = ['sleep', '2147483647']
const anyResources = { cpuUnits: 128, memoryBytes: 256 * 2 ** 20 }
const anyGraceMs = 10_000

/** How a new service runs. @throws invalid for an image that says no port, and nobody else does */
export function runOf(type: ServiceType | null, asked: NewService, built: BuiltImage): ServiceRun {
  const { image, cpuUnits, memoryBytes } = wantedOf(type, asked)
  const resources = { cpuUnits, memoryBytes }
  const about = { image, built, ...resources, port: portOf(type, asked, built), says: null }
  if (!type) {
    const dataPaths = built.volumes.toSorted()
    const rest = { environment: {}, command: null, stopGraceMs: anyGraceMs, dataPaths }
    return { ...about, scheme: 'tcp', ...rest }
  }
  if (asked.managed) return { ...about, ...managedRun(type, asked) }
  const dataPath = type.dataPath(asked.version ?? type.versions.usual)
  return {
    ...about,
    scheme: type.scheme,
    environment: type.environment(randomBytes(24).toString('hex')),
    command: type.command && [...type.command],
    stopGraceMs: type.stopGraceMs,
    dataPaths: dataPath === null ? [] : [dataPath],
  }
}

/** A client of what a cloud is to run, which is as large as is asked for. */
function managedRun(type: ServiceType, asked: NewService) {
  const password = randomBytes(24).toString('hex')
  const identity = randomBytes(8).toString('hex')
  const { version = type.versions.usual, cpuUnits = type.cpuUnits, memoryBytes = type.memoryBytes } = asked
  return {
    scheme: type.managed?.scheme ?? type.scheme,
    environment: type.environment(password),
    command: waiting,
    stopGraceMs: 1000,
    dataPaths: [],
    managed: { kind: type.name, version, password, cpuUnits, memoryBytes, identity, host: null },
  }
}

function portOf(type: ServiceType | null, { port }: NewService, { exposed }: BuiltImage): number {
  const ofImage = exposed.find((text) => text.endsWith('/tcp'))
  const found = port ?? type?.port ?? (ofImage === undefined ? undefined : Number.parseInt(ofImage, 10))
  if (found !== undefined) return found
  throw new RackError('invalid', 'the image says no port that it serves', { hint: 'Say it: --port 9000' })
}
