/** What surrounds the process inside its container, beyond the image; from the keys of the compose file of these names. */
export interface ContainerOptions {
  hostname: string | null
  domainname: string | null
  /** Supplementary groups, names or numbers. */
  groups: string[]
  /** Capabilities without `CAP_`, upper case; `ALL` is all of them. */
  capAdd: string[]
  capDrop: string[]
  /** True gives the whole machine; only where the rack's policy allows it. */
  privileged: boolean
  devices: Device[]
  /** As Docker writes them: `c 189:* rmw`. */
  deviceRules: string[]
  gpus: GpuRequest | null
  /** What the process shares with the machine, sorted; only where the policy allows `privileged`. */
  hostNamespaces: HostNamespace[]
  /** True mounts the image's file system read-only. */
  readOnly: boolean
  /** As Docker writes them: `seccomp=unconfined`. The rack adds `no-new-privileges` itself. */
  securityOptions: string[]
  shmBytes: number | null
  sysctls: Record<string, string>
  ulimits: Ulimit[]
  /** The most processes and threads; null is the rack's own limit. */
  pids: number | null
  /** -1000 to 1000. */
  oomScoreAdj: number | null
  dns: { servers: string[]; search: string[]; options: string[] }
  /** A pseudo-terminal, and a standard input that stays open. */
  tty: boolean
  stdinOpen: boolean
}

/** A device of the host; only where the rack's policy allows it. */
export interface Device {
  /** Absolute, on the host. */
  source: string
  /** Absolute, in the container. */
  path: string
  /** Of `r`, `w` and `m` (mknod). */
  permissions: string
}

/** Graphics processors; only where the rack's policy allows them. */
export interface GpuRequest {
  /** Null is the engine's usual one. */
  driver: string | null
  /** Null where `ids` name them. */
  count: number | 'all' | null
  ids: string[]
  /** What they are for, such as `gpu` and `compute`. */
  capabilities: string[]
}

export const hostNamespaces = ['cgroup', 'ipc', 'pid', 'user', 'uts'] as const

export type HostNamespace = (typeof hostNamespaces)[number]

export interface Ulimit {
  /** Such as `nofile`. */
  name: string
  /** -1 is no limit. */
  soft: number
  hard: number
}

/** A container as the rack makes it when the file says nothing. */
export const plainContainer: ContainerOptions = {
  hostname: null,
  domainname: null,
  groups: [],
  capAdd: [],
  capDrop: [],
  privileged: false,
  devices: [],
  deviceRules: [],
  gpus: null,
  hostNamespaces: [],
  readOnly: false,
  securityOptions: [],
  shmBytes: null,
  sysctls: {},
  ulimits: [],
  pids: null,
  oomScoreAdj: null,
  dns: { servers: [], search: [], options: [] },
  tty: false,
  stdinOpen: false,
}

/** What a container engine gives to every container. */
export const usualCapabilities = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]

export type Mount = VolumeMount | BindMount | TmpfsMount | DiscardedMount

interface MountPlace {
  /** Absolute, in the container. */
  path: string
  readOnly: boolean
}

/** A named volume of the app, kept across releases. */
export interface VolumeMount extends MountPlace {
  kind: 'volume'
  /** Its name in the file. */
  volume: string
  /** True keeps a new volume empty instead of filling it from the image. */
  noCopy: boolean
  /** What the engine calls a volume that no app made; absent for one of the app's own. */
  external?: string
}

/** What a relative bind mount becomes whose source is data: a named volume that is called after the path. */
export interface DataMount extends VolumeMount {
  /** From the source directory: `data`, or `../data` for what lies outside. */
  source: string
  /** Whether the source has something for its first fill. */
  isFilled: boolean
}

/** What a relative bind mount becomes whose source is part of the release: the image holds it at the path. */
export interface ReleaseMount extends MountPlace {
  kind: 'release'
  /** From the source directory, which it does not leave; `.` for the directory itself. */
  source: string
  holds: 'file' | 'folder'
}

/** A mount as a file says it. */
export type TypeMount = Mount | DataMount | ReleaseMount

/** A directory or file of the host; only where the rack's policy allows it. */
export interface BindMount extends MountPlace {
  kind: 'bind'
  /** Absolute, on the host. */
  source: string
}

/** Where a machine says in which time zone it is. They tell nothing else of it: any process may see them, where they are. */
export const timeZoneFiles: readonly string[] = ['/etc/localtime', '/etc/timezone']

/** A directory in memory. */
export interface TmpfsMount extends MountPlace {
  kind: 'tmpfs'
  sizeBytes: number | null
  /** Permission bits. */
  mode: number | null
  /** Further options of the file system: `exec`, `uid=1000`. */
  options: string[]
}

/** A volume without a name, such as an image's own VOLUME: it goes with its container. */
export interface DiscardedMount extends MountPlace {
  kind: 'discarded'
}

/** A file that the rack puts into every copy: an entry of `configs:` or `secrets:`. */
export interface FileMount {
  /** A secret's content is masked wherever a plan is shown. */
  kind: 'config' | 'secret'
  /** Its name in the file. */
  name: string
  /** Where its content comes from: a path of the source directory, a variable, or the compose file itself. */
  origin: { file: string } | { environment: string } | 'content'
  /** Absolute, in the container. */
  path: string
  /** Base64. */
  content: string
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
}
