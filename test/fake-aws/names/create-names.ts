import * as route53 from '@aws-sdk/client-route-53'
import * as cloudMap from '@aws-sdk/client-servicediscovery'
import type { FakeAccount, FakeService } from '../fake-service.ts'
import { NotModelled } from '../modelled.ts'
import { absolute, keyOf } from './change-batch.ts'
import { cloudMapActions } from './cloud-map-actions.ts'
import { serveDns, type DnsServer } from './dns-server.ts'
import { Members } from './members.ts'
import { route53Actions } from './route53-actions.ts'
import { Zone, type ZoneChange } from './zone.ts'

/** What stacks make of names: one zone and one namespace, of the names that the account was made with. */
export interface NameMaker {
  /** Gives its id. @throws where there is one */
  addZone(name: string): string
  /** @throws where it has records */
  removeZone(): void
  addNamespace(name: string): string
  /** @throws where it has services */
  removeNamespace(): void
}

export interface FakeNames {
  maker: NameMaker
  /** Route 53 and Cloud Map. */
  services: [FakeService, FakeService]
  instances: Members
  /** By id, changes of records. */
  changes: ReadonlyMap<string, ZoneChange>
  /** Of the rack's own zone, in Route 53. */
  zoneId: string
  /** Of Cloud Map. */
  namespaceId: string
  /** Where a name of a public zone leads to by a CNAME; null where it does not. */
  publicName(name: string): string | null
  /** A further public zone of the account. */
  addPublicZone(name: string): void
  /** Answers questions at an address of this machine; ends with the services. */
  serve(address: string, port?: number): Promise<DnsServer>
  /** Has a name of the world lead to an address, or nowhere. */
  nameHost(host: string, address: string | null): void
}

/**
 * The names of a network: a zone whose records are made through Route 53, and one whose records Cloud Map keeps.
 * @param zone such as `R.internal`
 * @param membersZone such as `members.R.internal`
 */
export function createNames({
  account,
  zone: zoneName,
  membersZone,
  isEmpty = false,
  publicZones = [],
}: {
  account: FakeAccount
  zone: string
  membersZone: string
  /** Neither is there before a stack makes it. */
  isEmpty?: boolean
  publicZones?: string[]
}): FakeNames {
  const zone = new Zone(account, { id: 'Z0FAKE0ZONE0OF0RACK', name: zoneName })
  const zones = [zone]
  const addPublicZone = (name: string) =>
    void zones.push(new Zone(account, { id: `Z0FAKE0PUBLIC${zones.length}`, name, isPublic: true }))
  for (const name of publicZones) addPublicZone(name)
  const members = new Members(account, membersZone)
  const namespaceId = 'ns-fakenamespace0000'
  const hosts = new Map<string, string>()
  zone.isThere = !isEmpty
  members.isThere = !isEmpty
  const changes = new Map<string, ZoneChange>()
  const servers = new Set<DnsServer>()
  const close = async () => {
    await Promise.all([...servers].map((server) => server.close()))
    servers.clear()
  }
  return {
    services: [
      {
        scope: 'route53',
        sdk: { ...route53 },
        actions: route53Actions(account, zones, changes),
        close,
      },
      {
        scope: 'servicediscovery',
        sdk: { ...cloudMap },
        actions: cloudMapActions(account, namespaceId, members),
      },
    ],
    instances: members,
    changes,
    addPublicZone,
    maker: nameMaker(zone, members, namespaceId),
    zoneId: zone.id,
    publicName(name) {
      const open = zones.filter(({ isPublic }) => isPublic)
      const sets = open.flatMap(
        ({ served }) => served.get(keyOf({ name: absolute(name), type: 'CNAME' })) ?? [],
      )
      return sets[0]?.values[0] ?? null
    },
    namespaceId,
    async serve(address, port = 53) {
      const server = await serveDns({ zone, members, hosts }, { address, port })
      servers.add(server)
      return server
    },
    nameHost(host, address) {
      if (address === null) hosts.delete(`${host}.`)
      else hosts.set(`${host}.`, address)
    },
  }
}

function nameMaker(zone: Zone, members: Members, namespaceId: string): NameMaker {
  const assertOwn = (name: string, own: string) => {
    if (absolute(name) !== own) throw new NotModelled(`a zone ${name} besides ${own}`)
  }
  return {
    addZone(name) {
      assertOwn(name, zone.name)
      // AWS takes a second one of a name; here that is a mistake.
      if (zone.isThere) throw new Error(`there is a zone ${name}`)
      zone.clear()
      zone.isThere = true
      return zone.id
    },
    removeZone() {
      // D: DeleteHostedZone: NS and SOA alone may be left.
      const own = [...zone.records.values()].filter(({ type }) => type !== 'NS' && type !== 'SOA')
      if (own.length > 0)
        throw new Error(
          'The specified hosted zone contains non-required resource record sets and so cannot be deleted.',
        )
      zone.isThere = false
    },
    addNamespace(name) {
      assertOwn(name, members.zone)
      if (members.isThere) throw new Error(`there is a namespace ${name}`)
      members.isThere = true
      return namespaceId
    },
    removeNamespace() {
      if (members.services.size > 0)
        throw new Error("The namespace contains at least one service and can't be deleted.")
      members.isThere = false
    },
  }
}
