/**
 * What an engine does differently from another one, by name. Each engine has its features as a value here, so that a
 * compose file can be read for an engine where none runs; what differs nowhere is no feature.
 * `true` is the whole of what a compose file can ask for.
 */
export interface EngineFeatures extends ContainerFeatures, TrafficFeatures, WorkFeatures {
  /** What `--for` takes, and the rack tells of itself. */
  name: EngineName
}

export type EngineName = 'docker' | 'aws'

/** What a process can have around it, and how it is kept running. */
interface ContainerFeatures {
  /** Paths of the host as mounts; the policy decides which. */
  binds: true | Lack
  /** All of the machine; where the policy allows it. */
  privileged: true | Lack
  /** What `cap_add` can add; true is all of them, the far-reaching ones where the policy allows it. */
  capabilities: true | Choice
  /** Less of what keeps a process inside its container (`seccomp=unconfined`); where the policy allows it. */
  securityProfiles: true | Lack
  /** `no-new-privileges` holds. */
  noNewPrivileges: true | Lack
  /** Devices of the machine, GPUs among them; the policy decides which. */
  devices: true | Lack
  /** Namespaces of the machine; where the policy allows `privileged`. */
  hostNamespaces: true | Lack
  /** A name for the machine (`host-gateway`); where the policy allows it. */
  hostGateway: true | Lack
  /** Supplementary groups. */
  groups: true | Lack
  /** Which limits `ulimits` can set. */
  ulimits: true | Choice
  /** The highest `nofile`. */
  openFiles: true | Most
  pidsLimit: true | Lack
  oomScore: true | Lack
  /** A host name and domain that the process sees as its own. */
  ownHostName: true | Lack
  /** Name servers of the process's own. */
  nameServers: true | Lack
  /** One copy on every instance. */
  agents: true | Lack
  /** A process that ends well is left alone, and is started again when it fails. */
  restartOnFailure: true | Lack
  /** A process that serves and has ended is left alone. */
  restartNever: true | Lack
  /** Milliseconds between the stop signal and SIGKILL. */
  stopGraceMs: true | Most
  /** The check inside the container. */
  checks: true | CheckBounds
  /** What one copy can reserve; true is what the rack has. */
  copySize: true | CopySize
  /** Characters of a variable's value, or of a secret file in base64. */
  valueLength: true | Most
  /** Named volumes on a disk of the machine. */
  diskVolumes: true | Lack
  /** The networks of a file keep its processes apart. */
  separateNetworks: true | Lack
  /** `internal: true`: who is on no other network has no way out. */
  internalNetworks: true | Lack
  /** Files and keys that the steps of a build mount while they run. */
  buildSecrets: true | Lack
}

/** What comes from outside, and how. */
interface TrafficFeatures {
  /** External ports that only the machine of the rack reaches. */
  localPorts: true | Lack
  /** One number, outside or inside, for tcp and udp at once. */
  udpBesideTcp: true | Lack
  /** A process that is reached by udp alone. */
  udpAlone: true | Lack
  /** Ports of protocol tls. */
  tlsPorts: true | Lack
  /** Ports of protocol tls that several apps have, told apart by the name that clients ask for. */
  sharedTlsPorts: true | Lack
  /** The PROXY protocol in front of http. */
  proxyOnHttp: true | Lack
  /** The PROXY protocol in front of tcp, of both versions, before either side has spoken. */
  proxyOnTcp: true | Lack
  /** The HTTP that is spoken to a process: `h2c`, `h2`. */
  http2ToProcess: true | Lack
  /** TLS to the process on a port that takes tcp. */
  secureOnTcp: true | Lack
  /** By what a client is known again. */
  sticky: true | Choice
  /** `sticky=source` on http goes by the address alone. */
  stickyByAddress: true | Lack
  /** `sticky=source` on a port of tls. */
  stickyOnTls: true | Lack
  /** Address ranges that an http port can be opened for. */
  allowedRanges: true | Most
  /** Ranges of IPv6 in `allow`. */
  allowedIpv6: true | Lack
  /** `idle.timeout` on an http port. */
  idleTimeoutOnHttp: true | Lack
  /** `idle.timeout` on a port of tcp or tls. */
  idleTimeoutOnPorts: true | Lack
  /** A redirect to https that keeps method and body (308). */
  methodsKept: true | Lack
  /** `https.hsts`. */
  strictTransport: true | Lack
  /** Asking for a password. */
  accounts: true | Lack
  /** Requests that wait while no copy serves. */
  heldRequests: true | Lack
  /** Probes of the balancer. */
  probes: true | ProbeBounds
}

/** What the keys of a file do not ask for; operations, command line and contract suite know it. */
interface WorkFeatures {
  /** True when external ports of a type come and go without a new copy. */
  changesPortsInPlace: boolean
  /** True when a build takes its cpu and memory from what copies can have. */
  buildsTakeCapacity: boolean
  /** When a receipt's numbers are known: as the deploy settles, or minutes later. */
  receiptCounts: 'at once' | 'later'
  /** True when a kept log line knows whether it was standard output or error. */
  separateLogStreams: boolean
  /** Commands that can run inside one copy at the same time; null is any number. */
  mostExecs: number | null
  /** Whether services are given to other racks, and theirs to apps of this one; else why not. */
  sharesServices: true | Remark
  /** Kinds of services that the engine has run for it, by `provision`. */
  managedServices: string[]
}

/** What becomes of a key that asks for what an engine lacks. */
export type Lack = Refusal | Neglect | Substitute

/** Leaving it out would change what the app does. */
export interface Refusal extends Remark {
  verdict: 'refused'
  /** What to write instead. */
  instead: string
}

/** Leaving it out changes nothing for the app. */
export interface Neglect extends Remark {
  verdict: 'ignored'
  /** True when only the list of verdicts mentions it. */
  isQuiet?: true
}

/** Something else does what was meant. */
export interface Substitute extends Remark {
  verdict: 'translated'
  into: string
  /** True when only the list of verdicts mentions it. */
  isQuiet?: true
}

/** Something that is so, in a sentence without a full stop. */
export interface Remark {
  why: string
}

/** The only values that an engine takes. */
export interface Choice extends Remark {
  only: string[]
  instead: string
}

/** The highest value that an engine takes. */
export interface Most extends Remark {
  most: number
  instead: string
}

export interface CheckBounds extends Remark {
  shortestIntervalMs: number
  longestIntervalMs: number
  longestStartPeriodMs: number
  mostRetries: number
}

export interface ProbeBounds extends Remark {
  shortestIntervalMs: number
  shortestTimeoutMs: number
  fewestInARow: number
}

/** The largest copy. */
export interface CopySize extends Remark {
  cpuUnits: number
  memoryBytes: number
  instead: string
}
