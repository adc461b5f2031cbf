import { usualCapabilities } from './container.ts'
import type { EngineFeatures, Neglect, Refusal } from './features.ts'

const alone: Neglect = {
  verdict: 'ignored',
  why: 'each copy has a machine of its own',
  isQuiet: true,
}

const mebibyte = 1024 * 1024

/**
 * A rack in an AWS account, on Fargate. Numbers after `§` are sections of the technical design of that engine: what a
 * compose file can have there is §3, where nothing else is said.
 */
export const awsFeatures: EngineFeatures = {
  name: 'aws',
  binds: {
    verdict: 'refused',
    why: 'there is no host directory that outlives a copy',
    instead: 'for data use a named volume: "data:/path"',
  },
  privileged: {
    verdict: 'refused',
    why: 'Fargate gives no process the machine',
    instead: 'remove the key; what needs a machine runs on a rack of one machine',
  },
  devices: {
    verdict: 'refused',
    why: 'Fargate has no devices',
    instead: 'remove the key; what needs a device runs on a rack of one machine',
  },
  hostNamespaces: {
    verdict: 'refused',
    why: 'each copy has a machine of its own',
    instead: 'let the processes talk over the network; remove the key',
  },
  hostGateway: {
    verdict: 'refused',
    why: 'the machine of a copy is its own, and runs nothing else',
    instead: 'name the address of what is meant',
  },
  capabilities: {
    only: [...usualCapabilities, 'SYS_PTRACE'],
    why: 'Fargate adds no capability but SYS_PTRACE',
    instead: 'remove it; what needs it runs on a rack of one machine',
  },
  securityProfiles: {
    verdict: 'refused',
    why: 'ECS takes no profile of seccomp, AppArmor or SELinux, and no systempaths',
    instead: 'remove it',
  },
  noNewPrivileges: {
    verdict: 'ignored',
    why: 'Fargate does not take it, and each copy has a machine of its own',
  },
  groups: {
    verdict: 'refused',
    why: 'ECS gives a process no further groups',
    instead: 'name the group in the image, or give the user as `uid:gid` under `user:`',
  },
  ulimits: {
    only: ['nofile'],
    why: 'Fargate sets no limit but nofile',
    instead: 'remove it',
  },
  openFiles: {
    most: 65_535,
    why: 'Fargate lets a process open 65,535 files at most',
    instead: 'write 65535',
  },
  pidsLimit: alone,
  oomScore: alone,
  ownHostName: {
    verdict: 'translated',
    into: 'the variable HOSTNAME and a line of the hosts file',
    why: 'gethostname() gives the name that ECS chose, so names of data that hang on it must be set by a variable',
  },
  nameServers: {
    verdict: 'refused',
    why: "names of the app come from the network's own resolver",
    instead: 'use `extra_hosts`, or a forwarding rule of the Route 53 Resolver in the account',
  },
  agents: {
    verdict: 'refused',
    why: 'an agent needs instances, and Fargate has none',
    instead: 'remove it; what watches every copy runs in the image of each, or on a rack of one machine',
  },
  // §1.3, Jobs: a service of ECS replaces whatever ends.
  restartOnFailure: {
    verdict: 'refused',
    why: 'ECS starts a process that ended again, well or not',
    instead: 'write `restart: "no"` for what runs once per release, or `restart: always` for a server',
  },
  restartNever: {
    verdict: 'ignored',
    why: 'ECS starts a process that serves again when it ends',
  },
  stopGraceMs: {
    most: 120_000,
    why: 'Fargate ends a process after 120 s',
    instead: 'write "2m"',
  },
  // §1.2, Checks.
  checks: {
    shortestIntervalMs: 5000,
    longestIntervalMs: 300_000,
    longestStartPeriodMs: 300_000,
    mostRetries: 10,
    why: 'ECS checks every 5 to 300 s, starts counting within 300 s, and counts to 10',
  },
  // The engine adds 64 MiB to a copy for what it runs beside the process (§1.2, §1.3).
  copySize: {
    cpuUnits: 16 * 1024,
    memoryBytes: (120 * 1024 - 64) * mebibyte,
    why: 'a copy on Fargate has up to 16 cores and 120 GiB, of which the rack needs 64 MiB',
    instead: 'ask for less, and for more copies',
  },
  // §1.6.
  valueLength: {
    most: 60_000,
    why: 'Secrets Manager keeps 60,000 characters of a value at most',
    instead: 'put it into a config, into the image or on a volume',
  },
  // §1.6.
  diskVolumes: {
    verdict: 'translated',
    into: 'a directory of a file system over the network (EFS)',
    why: 'fine for uploads, slow for databases',
    isQuiet: true,
  },
  // §1.7: one security group an app, open to itself.
  separateNetworks: {
    verdict: 'translated',
    into: "the app's network",
    why: 'the processes of an app share one security group',
  },
  // A task fetches its image and its secrets over the network that its process is on.
  internalNetworks: {
    verdict: 'refused',
    why: 'a copy on Fargate fetches its image over the network that its process is on',
    instead: 'remove the key',
  },
  localPorts: {
    verdict: 'translated',
    into: 'a port inside the app',
    why: 'nobody works on the machine of a copy; `rack proxy` leads to it',
  },
  // §1.8: what a build is given lies in the bucket, and its log in the account.
  buildSecrets: {
    verdict: 'refused',
    why: 'a build in the account is handed its source alone',
    instead: 'fetch what needs a secret before the upload',
  },
  // An open report (amazon-ecs-agent, 3428): a second mapping of one port is refused, which both would need.
  udpBesideTcp: {
    verdict: 'refused',
    why: 'a network load balancer has one listener a port, and ECS maps a port of a container once',
    instead: 'give udp a number of its own, outside and inside',
  },
  udpAlone: {
    verdict: 'refused',
    why: 'a network load balancer probes a process by tcp',
    instead: 'declare a port under `expose:`, and name it by rack.health.port',
  },
  tlsPorts: {
    verdict: 'translated',
    into: 'a port that shows certificates of ACM',
    why: 'a network load balancer ends TLS by no others, so the rack must have been installed with one (--certificate)',
    isQuiet: true,
  },
  sharedTlsPorts: {
    verdict: 'refused',
    why: 'a network load balancer leads by port alone',
    instead: 'give each app a port of its own',
  },
  proxyOnHttp: {
    verdict: 'refused',
    why: 'an application load balancer does not speak the PROXY protocol',
    instead: 'read X-Forwarded-For, or write the protocol tcp',
  },
  proxyOnTcp: {
    verdict: 'translated',
    into: 'version 2 of it, which comes with the first bytes of a client',
    why: 'a network load balancer speaks version 2, and waits for its client: a process that speaks first, as SMTP and SSH do, waits for ever',
  },
  http2ToProcess: {
    verdict: 'refused',
    why: 'the balancer speaks HTTP/1.1 to processes',
    instead: 'write the protocol tcp for the port, and let clients speak HTTP/2 to the process itself',
  },
  secureOnTcp: {
    verdict: 'refused',
    why: 'a network load balancer speaks TLS to a process on ports of the protocol tls alone',
    instead:
      'write the protocol tls, where the rack has a domain, or let clients speak TLS to the process themselves',
  },
  sticky: {
    only: ['source'],
    why: 'an application load balancer knows a client by cookie only',
    instead: 'write rack.sticky=source',
  },
  stickyByAddress: {
    verdict: 'translated',
    into: "the balancer's cookie",
    why: 'an application load balancer knows a client by cookie only',
  },
  stickyOnTls: {
    verdict: 'refused',
    why: 'a network load balancer that ends TLS knows no client again',
    instead: 'remove the label, or write the protocol tcp and let the process speak TLS itself',
  },
  // §2.4: five values of conditions a rule, host names among them; at most four rules a type, of up to two host names.
  allowedRanges: {
    most: 12,
    why: 'the rules of an application load balancer hold 12 ranges for a process of up to two names, domains among them, and fewer with more',
    instead: 'name larger ranges',
  },
  allowedIpv6: {
    verdict: 'ignored',
    why: 'the balancers of the rack have addresses of IPv4 alone, so nobody comes from one',
  },
  // §2.2: one value for all that the balancer serves.
  idleTimeoutOnHttp: {
    verdict: 'ignored',
    why: 'the balancer has one limit for all http ports, an hour',
  },
  idleTimeoutOnPorts: {
    verdict: 'ignored',
    why: 'a network load balancer ends every connection that is silent for 350 s, and forgets who is silent by udp for 120 s',
  },
  methodsKept: {
    verdict: 'translated',
    into: 'a redirect by 301',
    why: 'an application load balancer redirects by 301 or 302, after which browsers ask by GET',
    isQuiet: true,
  },
  strictTransport: {
    verdict: 'refused',
    why: 'an application load balancer says the same for every app',
    instead: 'let the process send Strict-Transport-Security',
  },
  accounts: {
    verdict: 'refused',
    why: 'an application load balancer cannot ask for a password (no WWW-Authenticate)',
    instead: 'let the process ask, or open it for some addresses: rack.allow',
  },
  heldRequests: {
    verdict: 'ignored',
    why: 'the balancer answers 503 while no copy serves',
  },
  // §2.2.
  probes: {
    shortestIntervalMs: 5000,
    shortestTimeoutMs: 2000,
    fewestInARow: 2,
    why: 'the balancer probes every 5 s or more, waits 2 s or more, and counts to 2 or more',
  },
  // §1.3, In place: the target groups of a service are fixed when it is made.
  changesPortsInPlace: false,
  // §1.4, capacity: what builds is the daemon's machine, or CodeBuild's, where no copy runs.
  buildsTakeCapacity: false,
  // §4.2, receipt.
  receiptCounts: 'later',
  // §1.4, logs: a stream of CloudWatch is one for both.
  separateLogStreams: false,
  // §1.7.
  mostExecs: 2,
  // The balancers of the account let nobody in by a certificate of the rack's own.
  sharesServices: { why: 'a rack in an AWS account has no router of its own that could let another rack in' },
  // §1.8.
  managedServices: ['postgres', 'mysql', 'redis', 'valkey', 'memcached'],
}

const noTlsPorts: Refusal = {
  verdict: 'refused',
  why: 'the rack was installed without a domain and its certificate of ACM',
  instead:
    'write the protocol tcp for the port and let the process speak TLS itself, or install a rack with --domain and --certificate',
}

/** Those of a rack that is there: without a certificate of ACM it ends TLS at no port. */
export function awsFeaturesOf({ hasCertificate }: { hasCertificate: boolean }): EngineFeatures {
  return hasCertificate ? awsFeatures : { ...awsFeatures, tlsPorts: noTlsPorts }
}
