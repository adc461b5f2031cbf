import { tcpBindOf, type MachineInstallation } from './installation.ts'
import type { MachineFacts } from './machine-facts.ts'
import { planInstallation, type InstallOptions } from './plan-installation.ts'

/**
 * A rack as it was installed once, where nothing else is wanted, on what this machine has. Its policy is the store's, and the
 * program for its DNS is for the caller to look for.
 * @throws as `planInstallation` does
 */
export async function planAgain(
  before: MachineInstallation,
  wanted: Partial<InstallOptions> & Pick<InstallOptions, 'directory'>,
  machine: MachineFacts,
  others: MachineInstallation[],
): Promise<MachineInstallation> {
  const { name, http, https, api, domain, pool, total, limits } = before
  const { httpsPort = https?.port ?? null } = wanted
  const options: InstallOptions = {
    ...wanted,
    name,
    apiPort: wanted.apiPort ?? api?.port,
    httpPort: wanted.httpPort ?? http.port,
    httpBind: wanted.httpBind ?? http.bind,
    httpsPort,
    apiByHttps: wanted.apiByHttps ?? before.apiByHttps,
    tcpBind: wanted.tcpBind ?? tcpBindOf(before),
    trustedProxies: wanted.trustedProxies ?? http.trustedProxies,
    domain: wanted.domain ?? domain,
    pool: wanted.pool ?? pool.cidr,
    cpuUnits: wanted.cpuUnits ?? total.cpuUnits,
    memoryBytes: wanted.memoryBytes ?? total.memoryBytes,
  }
  return { ...(await planInstallation(options, machine, others)), ...(limits && { limits }) }
}
