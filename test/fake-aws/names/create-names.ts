import * as route53 from '@aws-sdk/client-route-53'
import * as cloudMap from '@aws-sdk/client-servicediscovery'
import type { FakeAccount, FakeService } from '../fake-service.ts'
import type { NameInstances } from '../links.ts'
import { cloudMapActions } from './cloud-map-actions.ts'
import { serveDns, type DnsServer } from './dns-server.ts'
import { Members } from './members.ts'
import { route53Actions } from './route53-actions.ts'
import { Zone } from './zone.ts'

export interface FakeNames {
  /** Route 53 and Cloud Map. */
  services: [FakeService, FakeService]
  instances: NameInstances
  /** Of the rack's own zone, in Route 53. */
  zoneId: string
  /** Of Cloud Map. */
  namespaceId: string
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
}: {
  account: FakeAccount
  zone: string
  membersZone: string
}): FakeNames {
  const zone = new Zone(account, { id: 'Z0FAKE0ZONE0OF0RACK', name: zoneName })
  const members = new Members(account, membersZone)
  const namespaceId = 'ns-fakenamespace0000'
  const hosts = new Map<string, string>()
  const servers = new Set<DnsServer>()
  const close = async () => {
    await Promise.all([...servers].map((server) => server.close()))
    servers.clear()
  }
  return {
    services: [
      { scope: 'route53', sdk: { ...route53 }, actions: route53Actions(account, zone), close },
      {
        scope: 'servicediscovery',
        sdk: { ...cloudMap },
        actions: cloudMapActions(account, namespaceId, members),
      },
    ],
    instances: members,
    zoneId: zone.id,
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
