import { isDeepStrictEqual } from 'node:util'
import type {
  CreateServiceRequest,
  DnsConfig,
  ListInstancesRequest,
  ListServicesRequest,
  Service,
  ServiceFilter,
} from '@aws-sdk/client-servicediscovery'
import { AwsError, type Action, type FakeAccount } from '../fake-service.ts'
import { createLag } from '../lag.ts'
import { paged } from '../paging.ts'
import type { MemberService, Members } from './members.ts'

/** A page holds so many at most, though AWS allows 100: paging is on purpose. */
const mostOnPage = 10

const invalid = (message: string) => new AwsError('InvalidInput', message)

/** Cloud Map, for one namespace. */
export function cloudMapActions(
  account: FakeAccount,
  namespaceId: string,
  members: Members,
): Record<string, Action> {
  const lag = createLag(account.clock)
  const find = (id: string): MemberService => {
    const service = members.services.get(id.replace(/^.*:service\//, ''))
    if (!service) throw new AwsError('ServiceNotFound', `No service found with ID ${id}`)
    return service
  }
  return {
    CreateService: async (input: CreateServiceRequest) => {
      const service = create(account, { namespaceId, members }, input)
      lag.made(service.Id)
      return { Service: told(service) }
    },
    GetService: async ({ Id }: { Id: string }) => ({ Service: told(find(Id)) }),
    DeleteService: async ({ Id }: { Id: string }) => {
      const service = find(Id)
      // The words are documented in parts only (D).
      if (service.instances.size > 0)
        throw new AwsError(
          'ResourceInUse',
          'Service contains registered instances; delete them before deleting the service',
        )
      members.services.delete(service.Id)
      return {}
    },
    ListServices: async ({ Filters = [], NextToken, MaxResults = 100 }: ListServicesRequest) => {
      for (const filter of Filters) assertFilter(filter, namespaceId)
      const shown = [...members.services.values()].filter(({ Id }) => lag.shows(Id))
      const { page, next } = paged(
        shown,
        NextToken,
        pageOf(MaxResults, ({ Id }: MemberService) => Id),
      )
      return { Services: page.map(summaryOf), ...(next && { NextToken: next }) }
    },
    ListInstances: async ({ ServiceId, NextToken, MaxResults = 100 }: ListInstancesRequest) => {
      const all = [...find(ServiceId!).instances].map(([Id, { address }]) => ({
        Id,
        Attributes: { AWS_INSTANCE_IPV4: address },
      }))
      const { page, next } = paged(
        all,
        NextToken,
        pageOf(MaxResults, ({ Id }: { Id: string }) => Id),
      )
      return { Instances: page, ...(next && { NextToken: next }) }
    },
  }
}

function pageOf<T>(
  most: number,
  key: (item: T) => string,
): { pageSize: number; key: (item: T) => string; error: string } {
  if (most < 1 || most > 100) throw invalid('MaxResults must be between 1 and 100')
  return { pageSize: Math.min(most, mostOnPage), key, error: 'InvalidInput' }
}

function assertFilter({ Name, Values = [], Condition = 'EQ' }: ServiceFilter, namespaceId: string): void {
  if (Name !== 'NAMESPACE_ID' || Condition !== 'EQ')
    throw invalid(`the fake account knows no filter ${Name} ${Condition}`)
  if (Values.length !== 1) throw invalid('A filter that asks for equality has one value')
  if (Values[0] !== namespaceId)
    throw new AwsError('NamespaceNotFound', `No namespace found with ID ${Values[0]}`)
}

/** A repeat with the same `CreatorRequestId` and settings gives the same service (D). */
function create(
  account: FakeAccount,
  { namespaceId, members }: { namespaceId: string; members: Members },
  input: CreateServiceRequest,
): MemberService {
  const { Name, NamespaceId = input.DnsConfig?.NamespaceId, CreatorRequestId, DnsConfig, Description } = input
  if (!members.isThere || NamespaceId !== namespaceId)
    throw new AwsError('NamespaceNotFound', `No namespace found with ID ${NamespaceId}`)
  assertSettings(input)
  const there = [...members.services.values()].find((service) => service.Name === Name!.toLowerCase())
  if (there) return repeated(there, input)
  const id = `srv-${String(members.services.size).padStart(4, '0')}${Math.random().toString(36).slice(2, 14).padEnd(12, '0')}`
  const service: MemberService = {
    Id: id,
    Arn: `arn:aws:servicediscovery:${account.region}:${account.account}:service/${id}`,
    Name: Name!.toLowerCase(),
    NamespaceId: namespaceId,
    ...(Description !== undefined && { Description }),
    Type: 'DNS_HTTP',
    CreateDate: new Date(account.clock.now()),
    ...(CreatorRequestId !== undefined && { CreatorRequestId }),
    DnsConfig: { NamespaceId: namespaceId, RoutingPolicy: 'MULTIVALUE', DnsRecords: DnsConfig!.DnsRecords },
    HealthCheckCustomConfig: input.HealthCheckCustomConfig,
    ttl: DnsConfig!.DnsRecords![0]!.TTL!,
    instances: new Map(),
  }
  members.services.set(id, service)
  return service
}

function repeated(
  there: MemberService,
  { CreatorRequestId, DnsConfig }: CreateServiceRequest,
): MemberService {
  const isSame = CreatorRequestId !== undefined && CreatorRequestId === there.CreatorRequestId
  if (isSame && isDeepStrictEqual(DnsConfig!.DnsRecords, there.DnsConfig?.DnsRecords)) return there
  const details = {
    ServiceId: there.Id,
    ...(there.CreatorRequestId && { CreatorRequestId: there.CreatorRequestId }),
  }
  throw new AwsError('ServiceAlreadyExists', 'Service already exists.', 400, details)
}

/** What the rack's services are: addresses, several an answer, their health told by ECS (§1.3). */
function assertSettings({
  Name,
  DnsConfig,
  HealthCheckConfig,
  HealthCheckCustomConfig,
  Type,
}: CreateServiceRequest): void {
  if (!/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(Name ?? ''))
    throw invalid(`Service name '${Name}' is not a label`)
  if (HealthCheckConfig ?? Type)
    throw invalid('the fake account knows no health checks of Route 53, and no types of services')
  if (!HealthCheckCustomConfig) throw invalid('the fake account has services with custom health only')
  // The one threshold that counts (D).
  if ((HealthCheckCustomConfig.FailureThreshold ?? 1) !== 1) throw invalid('FailureThreshold is 1')
  assertRecords(DnsConfig)
}

function assertRecords(config: DnsConfig | undefined): void {
  const [record, ...more] = config?.DnsRecords ?? []
  if (!record || more.length > 0 || record.Type !== 'A')
    throw invalid('the fake account has services with A records only')
  if (!Number.isInteger(record.TTL) || record.TTL! < 0 || record.TTL! > 2_147_483_647)
    throw invalid('TTL is not valid')
  if (config!.RoutingPolicy !== 'MULTIVALUE')
    throw invalid('the fake account has services with MULTIVALUE only')
}

function told({ ttl: _ttl, instances, ...service }: MemberService): Service {
  return { ...service, InstanceCount: instances.size }
}

function summaryOf(service: MemberService): object {
  const { NamespaceId: _id, CreatorRequestId: _token, ...summary } = told(service)
  return summary
}
