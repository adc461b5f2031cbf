import { engineFeatures } from '../../../src/domain/engine-features.ts'
import type { EngineFeatures } from '../../../src/domain/features.ts'

export type Feature = Exclude<keyof EngineFeatures, 'name'>

/** What each feature is called on the page. */
export const featureTitles: Record<Feature, string> = {
  sharesServices: 'services that are shared with other racks',
  binds: 'paths of the host as volumes',
  privileged: '`privileged`',
  devices: '`devices`, `gpus` and the like',
  hostNamespaces: '`pid: host` and the like',
  hostGateway: '`host-gateway`',
  capabilities: '`cap_add`',
  securityProfiles: '`security_opt` that weakens the container',
  noNewPrivileges: '`no-new-privileges`',
  groups: '`group_add`',
  ulimits: '`ulimits`',
  openFiles: '`ulimits: nofile`',
  pidsLimit: '`pids_limit`',
  oomScore: '`oom_score_adj`',
  ownHostName: '`hostname`, `domainname`',
  nameServers: '`dns`',
  agents: 'agents: `rack.agent`, `deploy.mode: global`',
  restartOnFailure: '`restart: on-failure`',
  restartNever: '`restart: "no"` of a process with a port or a check',
  stopGraceMs: '`stop_grace_period`',
  checks: '`healthcheck`',
  copySize: 'CPU and memory of a copy',
  valueLength: 'values of variables, and secret files',
  diskVolumes: 'named volumes on a disk of the machine',
  separateNetworks: 'networks that keep processes apart',
  internalNetworks: '`internal: true` of a network',
  localPorts: '`127.0.0.1:5432:5432`',
  buildSecrets: '`build.secrets`, `build.ssh`',
  udpBesideTcp: 'one number for tcp and udp at once, outside or inside',
  udpAlone: 'a process that is reached by udp alone',
  tlsPorts: 'tls ports',
  sharedTlsPorts: 'a tls port of several apps',
  proxyOnHttp: '`rack.port.N.proxy` on http',
  proxyOnTcp: '`rack.port.N.proxy` on tcp',
  http2ToProcess: '`rack.port.N.upstream`',
  secureOnTcp: '`rack.port.N.secure` on tcp',
  sticky: '`rack.sticky`',
  stickyOnTls: '`rack.sticky` on a tls port',
  stickyByAddress: '`rack.sticky=source` on http',
  allowedRanges: '`rack.allow` on http',
  allowedIpv6: 'a range of IPv6 in `rack.allow`',
  idleTimeoutOnHttp: '`rack.idle.timeout` on http',
  idleTimeoutOnPorts: '`rack.idle.timeout` on tcp and tls',
  methodsKept: 'a redirect to https keeps method and body',
  strictTransport: '`rack.https.hsts`',
  accounts: '`rack.auth`',
  heldRequests: '`rack.deployment.hold`',
  probes: '`rack.health.*` of copies that serve',
  changesPortsInPlace: 'a changed external port replaces no copy',
  buildsTakeCapacity: 'a build takes from what copies can have',
  receiptCounts: 'the numbers of a receipt are known',
  separateLogStreams: 'log lines know standard output from error',
  mostExecs: 'commands inside one copy at a time (`rack exec`)',
  managedServices: 'managed services',
}

/** The table of what differs, as lines. */
export function differenceTable(): string[] {
  const names = Object.keys(featureTitles) as Feature[]
  const rows = names.map((name) => [
    featureTitles[name],
    ...engineFeatures.map((features) => cellOf(features[name])),
  ])
  return [
    `| | ${engineFeatures.map(({ name }) => name).join(' | ')} |`,
    `|---|${engineFeatures.map(() => '---|').join('')}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ]
}

/** What an engine has of a feature, in a cell of a table. */
export function cellOf(feature: EngineFeatures[Feature]): string {
  if (feature === null) return 'any number'
  if (Array.isArray(feature)) return feature.join(', ') || 'none'
  if (typeof feature === 'string' || typeof feature === 'number') return String(feature)
  if (typeof feature === 'boolean') return feature ? 'yes' : 'no'
  if (!('verdict' in feature)) return feature.why
  const becomes = feature.verdict === 'translated' ? ` into ${feature.into}` : ''
  return `${feature.verdict}${becomes}: ${feature.why}`
}
