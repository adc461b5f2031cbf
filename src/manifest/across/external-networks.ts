import { shownPart } from '../syntax/tree.ts'
import type { Across } from './across.ts'
import { otherProxyOf } from './other-proxies.ts'

/** What networks are called that only lead a proxy to the process. */
const proxyWords =
  /proxy|traefik|caddy|nginx|npm|swag|ingress|gateway|tunnel|cloudflare|public|edge|^web|_web|front/i

/** A network that others are on is left out where it only leads their proxy to the app: the rack has its own. */
export function judgeExternalNetworks({ processes, externalNetworks, problems }: Across): void {
  for (const [key, { name, at }] of externalNetworks) {
    const members = processes.filter(({ networks }) =>
      networks.length === 0 ? key === 'default' : networks.some(({ value }) => value === key),
    )
    if (members.length === 0) continue
    const isForProxy = proxyWords.test(name) || proxyWords.test(key)
    if (isForProxy || members.some(otherProxyOf))
      problems.warn(
        at,
        `the network ${shownPart(at, name)} of others becomes one of the app: the rack routes by host name itself`,
        'write `ports: ["80:PORT"]` for what visitors reach; it is then APP.DOMAIN',
      )
    else
      problems.error(
        at,
        `the network ${shownPart(at, name)} is of others, and an app joins none that others have`,
        'remove `external`; name the address of what several apps use in `environment:`',
      )
  }
}
