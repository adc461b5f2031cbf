import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { refuseUnready, runsHere, type Service } from '../../domain/service.ts'
import type { ServiceType } from '../../services/service-type.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { runningCopy } from './bring-up.ts'
import { findService } from './services.ts'

/** A service that runs here, by what a command inside it needs to know. */
export interface RunningService {
  service: Service
  type: ServiceType
  /** Of its image: `15` of `postgres:15`. */
  version: string
  /** The process that is it. */
  copy: string
}

/**
 * @param what completes the sentence "a postgres has no …"
 * @throws not-found; conflict for one that does not run; unsupported for one of no type that the rack knows
 */
export async function findRunning(
  context: Context,
  name: string,
  what: string,
  control: Control,
): Promise<RunningService> {
  const service = await findService(context, name)
  refuseUnready(service)
  const [run, type] = [await context.store.services.run(name), findServiceType(service.type)]
  if (!run || !type) throw noneOf(service, what)
  return { service, type, version: versionOf(run.image), copy: await findCopy(context, name, control) }
}

/** The process that is a service. @throws conflict where none runs */
export async function findCopy(context: Context, name: string, control: Control): Promise<string> {
  const copy = await runningCopy(context, name, control)
  if (copy !== null) return copy
  throw new RackError('conflict', `the service ${name} does not run`, {
    hint: `See why: rack services info ${name}, rack services logs ${name}`,
  })
}

/** For what a type cannot be asked for. */
export function noneOf({ name, type }: Pick<Service, 'name' | 'type'>, what: string): RackError {
  const whose = runsHere({ type }) ? `it is of the type ${type}` : 'somebody else runs it'
  return new RackError('unsupported', `${name} has no ${what}: ${whose}`, {
    details: { service: name, type },
  })
}

/** What follows the colon of an image's name. */
export function versionOf(image: string): string {
  return /:([^:/@]+)(@.*)?$/.exec(image)?.[1] ?? 'latest'
}
