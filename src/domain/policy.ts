import { RackError } from './error.ts'

/** What the owner of a rack lets processes have beyond their own containers. */
export interface Policy {
  /** Absolute paths of the host: what lies at or below one may be mounted. */
  binds: string[]
  /** Devices that processes may have: paths at or below `/dev`, and `gpu`. */
  devices: string[]
  /** Volumes of the engine that no app of the rack made, by name. */
  volumes: string[]
  /** Whether a process may be `privileged` or have what amounts to it: all devices, and the machine's own namespaces. */
  privileged: boolean
  /** Whether the machine has a name inside an app (`host-gateway`). */
  hostGateway: boolean
  /** Whether processes reach link-local addresses, where a cloud gives the machine's own credentials to who asks. */
  metadata: boolean
}

/** The graphics processors of a machine, whatever their paths are. */
export const gpuDevice = 'gpu'

const anyVolume = '*'

/** A rack that was installed without a word about it. */
export const strictPolicy: Policy = {
  binds: [],
  devices: [],
  volumes: [],
  privileged: false,
  hostGateway: false,
  metadata: false,
}

/** Refuses nothing: for reading what is live already, which no change of the policy takes down. */
export const anyPolicy: Policy = {
  binds: ['/'],
  devices: ['/dev', gpuDevice],
  volumes: [anyVolume],
  privileged: true,
  hostGateway: true,
  metadata: true,
}

/** Keeps the policy of a rack. */
export interface PolicyKeeper {
  /** What holds for the next build and promote. */
  current(): Policy
  /**
   * Derives the next from the present one, one change at a time; it and who wanted it are durable when it settles. What
   * `derive` throws comes out as it is, and nothing is changed.
   * @throws invalid for a path that may never be allowed; store-failed and disk-full when it cannot be kept
   */
  change(derive: (present: Policy) => Policy, actor: string): Promise<Policy>
}

export interface PolicyChange {
  allowBinds: string[]
  denyBinds: string[]
  allowDevices: string[]
  denyDevices: string[]
  allowVolumes: string[]
  denyVolumes: string[]
  /** Null leaves it as it is. */
  privileged: boolean | null
  hostGateway: boolean | null
  metadata: boolean | null
}

/** Leaves everything as it is. */
export const noPolicyChange: PolicyChange = {
  allowBinds: [],
  denyBinds: [],
  allowDevices: [],
  denyDevices: [],
  allowVolumes: [],
  denyVolumes: [],
  privileged: null,
  hostGateway: null,
  metadata: null,
}

/** Whether a change changes nothing. */
export function isNoChange(change: PolicyChange): boolean {
  return Object.values(change).every((part: unknown) =>
    Array.isArray(part) ? part.length === 0 : part === null,
  )
}

/** A path of the host that no process may get, and what it is. */
export interface GuardedPath {
  path: string
  what: string
}

/** Whether the policy lets a path of the host be mounted; the path is absolute and has no `..`. */
export function allowsBind({ binds }: Policy, path: string): boolean {
  return binds.some((root) => isAtOrBelow(path, root))
}

/** Whether the policy lets a process have a device, by its path or as `gpu`; who may be privileged has them all. */
export function allowsDevice({ devices, privileged }: Policy, device: string): boolean {
  return privileged || devices.some((root) => isAtOrBelow(device, root))
}

/** Whether the policy lets a volume be mounted that belongs to no app. */
export function allowsVolume({ volumes }: Policy, name: string): boolean {
  return volumes.includes(anyVolume) || volumes.includes(name)
}

/** Lays a change over a policy; what is denied must be allowed. @throws invalid; not-found */
export function changedPolicy(present: Policy, change: PolicyChange): Policy {
  return {
    binds: changedList(present.binds, change.allowBinds.map(bindRoot), change.denyBinds.map(bindRoot), {
      option: '--deny-bind',
      things: 'paths',
    }),
    devices: changedList(
      present.devices,
      change.allowDevices.map(deviceRoot),
      change.denyDevices.map(deviceRoot),
      { option: '--deny-device', things: 'devices' },
    ),
    volumes: changedList(present.volumes, change.allowVolumes.map(volumeOf), change.denyVolumes, {
      option: '--deny-volume',
      things: 'volumes',
    }),
    privileged: change.privileged ?? present.privileged,
    hostGateway: change.hostGateway ?? present.hostGateway,
    metadata: change.metadata ?? present.metadata,
  }
}

/** How a list is called where it is told. */
interface Told {
  option: string
  things: string
}

function changedList(present: string[], allowed: string[], denied: string[], told: Told): string[] {
  for (const one of denied) refuseUnknown(present, one, told)
  return [...new Set([...present.filter((one) => !denied.includes(one)), ...allowed])].sort()
}

/** A device as a policy keeps it. @throws invalid */
function deviceRoot(text: string): string {
  if (text === gpuDevice) return text
  const path = text.startsWith('/dev/') ? bindRoot(text) : ''
  if (path.startsWith('/dev/')) return path
  throw new RackError('invalid', `${JSON.stringify(text)} is no device`, {
    hint: `A path below /dev, such as /dev/dri, or ${gpuDevice}.`,
  })
}

/** @throws invalid */
function volumeOf(text: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(text)) return text
  throw new RackError('invalid', `${JSON.stringify(text)} cannot be the name of a volume`, {
    hint: 'Letters, digits, dots, dashes and underscores: docker volume ls shows the names.',
  })
}

/** A path as a policy keeps it: absolute, no part of it empty or a dot. @throws invalid */
export function bindRoot(text: string): string {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  const isPlain = text.startsWith('/') && !parts.includes('..') && !/\p{Cc}/u.test(text)
  if (!isPlain) {
    throw new RackError('invalid', `${JSON.stringify(text)} is not an absolute path without ".."`, {
      hint: 'Such as /srv/shared: a path of the machine on which the rack runs.',
    })
  }
  if (parts.length > 0) return `/${parts.join('/')}`
  throw new RackError('invalid', 'all of the machine (/) cannot be allowed', {
    hint: 'Name the directory that processes need, such as /srv/shared.',
  })
}

/** Refuses a path by which a process could get what is guarded. @throws invalid */
export function refuseGuarded(path: string, guarded: GuardedPath[]): void {
  const reached = guarded.find((each) => isAtOrBelow(each.path, path) || isAtOrBelow(path, each.path))
  if (!reached) return
  const verb = reached.path === path ? 'is' : isAtOrBelow(reached.path, path) ? 'contains' : 'lies in'
  throw new RackError('invalid', `${path} cannot be allowed: it ${verb} ${reached.what}`, {
    hint: 'Whoever gets that has the whole rack. Name a directory of its own, such as /srv/shared.',
    details: { path, guarded: reached.path },
  })
}

function refuseUnknown(present: string[], one: string, { option, things }: Told): void {
  if (present.includes(one)) return
  const above = present.find((root) => isAtOrBelow(one, root))
  const allowed = present.join(', ') || 'none'
  throw new RackError('not-found', `${one} is not among the ${things} that the rack allows: ${allowed}`, {
    hint: above === undefined ? 'See them with: rack policy' : `It lies below one: ${option} ${above}`,
  })
}

function isAtOrBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`)
}
