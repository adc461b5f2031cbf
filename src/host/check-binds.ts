import { realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RackError } from '../domain/error.ts'
import { refuseGuarded, type GuardedPath } from '../domain/policy.ts'
import type { MachineInstallation } from './installation.ts'

/** Where Docker Engine and the containerd below it keep what every container has, and take orders. */
const engineDirectories = ['/var/lib/docker', '/var/lib/containerd', '/run/containerd']

type Guarding = Pick<MachineInstallation, 'directory' | 'socketPath' | 'socket'>

/**
 * Refuses paths by which a process could get the engine or the rack itself, also where a link leads there.
 * @throws invalid
 */
export async function checkBinds(
  paths: string[],
  { directory, socketPath, socket }: Guarding,
): Promise<void> {
  const guarded: GuardedPath[] = []
  for (const [path, what] of [
    [socketPath, "Docker Engine's socket"],
    ...engineDirectories.map((path) => [path, "Docker Engine's own directory"] as const),
    [directory, "the rack's own directory"],
    [dirname(socket.path), "the directory of the rack's socket"],
  ] as const) {
    guarded.push({ path, what }, { path: await followed(path), what })
  }
  for (const path of paths) {
    refuseGuarded(path, guarded)
    refuseGuarded(await followed(path), guarded)
  }
}

/** Where the links of a path lead; one that is not there yet stays as it is. */
async function followed(path: string): Promise<string> {
  return await realpath(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return path
    throw new RackError('invalid', `${path} cannot be looked at: ${cause.message}`, { cause })
  })
}
