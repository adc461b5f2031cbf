import type { ContainerOptions, GpuRequest, HostNamespace } from '../../../../domain/container.ts'

/**
 * The part of `HostConfig` that the options of a type decide. What is undefined is not sent: the engine's own default
 * holds.
 */
export function hostOptions(options: ContainerOptions, pidsLimit: number): Record<string, unknown> {
  const { shmBytes, sysctls, ulimits, oomScoreAdj, dns } = options
  return {
    PidsLimit: fewest(options.pids, pidsLimit),
    SecurityOpt: ['no-new-privileges', ...options.securityOptions],
    Privileged: options.privileged || undefined,
    ReadonlyRootfs: options.readOnly || undefined,
    Devices: unlessEmpty(
      options.devices.map(({ source, path, permissions }) => ({
        PathOnHost: source,
        PathInContainer: path,
        CgroupPermissions: permissions,
      })),
    ),
    DeviceCgroupRules: unlessEmpty(options.deviceRules),
    DeviceRequests: options.gpus ? [gpuRequest(options.gpus)] : undefined,
    ...Object.fromEntries(options.hostNamespaces.map((namespace) => [namespaceModes[namespace], 'host'])),
    GroupAdd: unlessEmpty(options.groups),
    CapAdd: unlessEmpty(options.capAdd),
    CapDrop: unlessEmpty(options.capDrop),
    ShmSize: shmBytes ?? undefined,
    Sysctls: Object.keys(sysctls).length > 0 ? sysctls : undefined,
    Ulimits: unlessEmpty(ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard }))),
    OomScoreAdj: oomScoreAdj ?? undefined,
    Dns: unlessEmpty(dns.servers),
    DnsSearch: unlessEmpty(dns.search),
    DnsOptions: unlessEmpty(dns.options),
  }
}

const namespaceModes: Record<HostNamespace, string> = {
  cgroup: 'CgroupnsMode',
  ipc: 'IpcMode',
  pid: 'PidMode',
  user: 'UsernsMode',
  uts: 'UTSMode',
}

/** -1 is Docker's word for all of them. */
function gpuRequest({ driver, count, ids, capabilities }: GpuRequest): Record<string, unknown> {
  return {
    Driver: driver ?? '',
    ...(count === null ? { DeviceIDs: ids } : { Count: count === 'all' ? -1 : count }),
    Capabilities: [capabilities],
  }
}

/** A file asks for less than the rack gives, not for more; 0 and -1 are its ways to ask for no limit of its own. */
function fewest(pids: number | null, limit: number): number {
  return pids === null || pids <= 0 ? limit : Math.min(pids, limit)
}

function unlessEmpty<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined
}
