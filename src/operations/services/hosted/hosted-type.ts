import { RackError } from '../../../domain/error.ts'
import type { LinkAddress } from '../../../domain/link.ts'
import { decodeOctets } from '../../../domain/service-url.ts'
import { hostedType, noServiceError, type Service } from '../../../domain/service.ts'
import type { HostedClient, ServiceType } from '../../../services/service-type.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'

/** A kind of server whose own programs can take its data out from elsewhere. */
export type ClientType = ServiceType & {
  data: NonNullable<ServiceType['data']>
  hosted: NonNullable<ServiceType['hosted']>
}

export interface HostedService {
  service: Service
  address: LinkAddress
  type: ClientType
}

/**
 * What the URL of a service says that it is; null for one that runs here, or that another rack shares.
 * @throws unsupported for a scheme of which no type has programs
 */
export async function findHosted(context: Context, service: Service): Promise<HostedService | null> {
  if (service.type !== hostedType) return null
  const version = await context.store.services.version(service.name, service.version)
  if (!version) throw noServiceError(service.name)
  const { address } = version
  const type = findServiceType(address.scheme === 'rediss' ? 'redis' : address.scheme)
  if (type?.hosted && type.data) return { service, address, type: type as ClientType }
  throw new RackError(
    'unsupported',
    `${service.name} has no backup: somebody else runs it, and the rack has no program for ${address.scheme}`,
    { details: { service: service.name, type: service.type } },
  )
}

/** By an image: `postgres` and `15`. */
export interface Programs {
  type: ClientType
  version: string
}

/** Its commands. @throws unsupported for a URL that says too little */
export function clientOf({ service, address }: Omit<HostedService, 'type'>, type: ClientType): HostedClient {
  const { scheme, host, port, username, password, authority = `${host}:${port}`, query = '' } = address
  const data = decodeOctets(address.path.replace(/^\//, ''))
  const about = { host, port, authority, username, password, query, data, isEncrypted: scheme === 'rediss' }
  const client = type.hosted(about)
  if (client.data !== '' || !type.data.list) return client
  throw new RackError('unsupported', `${service.name} has no backup: its URL names no database`, {
    hint: `One that does: rack services set-url ${service.name}`,
  })
}

/**
 * Which type and version has the programs for a server, which must not be older than that.
 * @throws unsupported where none is known
 */
export function programsFor(
  { service }: HostedService,
  { type, version }: Programs,
  server: string,
): Programs {
  // Both are spoken to by one scheme, and by the programs of their own.
  const own =
    type.name === 'mysql' && /mariadb/i.test(server) ? (findServiceType('mariadb') as ClientType) : type
  const first = own === type ? version : own.versions.usual
  if (own.data.canRestore(server, first)) return { type: own, version: first }
  const newer = own.versions.known.toReversed().find((each) => own.data.canRestore(server, each))
  if (newer !== undefined) return { type: own, version: newer }
  throw new RackError(
    'unsupported',
    `the server of ${service.name} is ${server}, and the newest programs that the rack knows are older: ${own.image(own.versions.known[0]!)}`,
  )
}
