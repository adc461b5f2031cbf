import { realpath } from 'node:fs/promises'
import { RackError } from '../domain/error.ts'
import {
  refuseGuarded,
  strictPolicy,
  type GuardedPath,
  type Policy,
  type PolicyKeeper,
} from '../domain/policy.ts'
import { createSemaphore } from '../lib/semaphore.ts'
import { readInstallation, writeInstallation, type Installation } from './installation.ts'

/** Where Docker Engine and the containerd below it keep what every container has, and take orders. */
const engineDirectories = ['/var/lib/docker', '/var/lib/containerd', '/run/containerd']

type Guarding = Pick<Installation, 'directory' | 'socketPath'>

/** Keeps the policy in the file of the installation, which nobody else writes once the rack is installed. */
export function openPolicy(installation: Installation): PolicyKeeper {
  const turn = createSemaphore(1)
  let current = policyOf(installation)
  return {
    current: () => current,
    change: (derive) =>
      turn.run(async () => {
        const kept = await readInstallation(installation.directory)
        const before = policyOf(kept)
        const policy = derive(before)
        await checkBinds(
          policy.binds.filter((path) => !before.binds.includes(path)),
          kept,
        )
        await write({ ...kept, policy })
        current = policy
        return policy
      }),
  }
}

/**
 * Refuses paths by which a process could get the engine or the rack itself, also where a link leads there.
 * @throws invalid
 */
export async function checkBinds(paths: string[], { directory, socketPath }: Guarding): Promise<void> {
  const guarded: GuardedPath[] = []
  for (const [path, what] of [
    [socketPath, "Docker Engine's socket"],
    ...engineDirectories.map((path) => [path, "Docker Engine's own directory"] as const),
    [directory, "the rack's own directory"],
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

async function write(installation: Installation): Promise<void> {
  try {
    await writeInstallation(installation)
  } catch (cause) {
    throw new RackError('host-failed', `the policy cannot be kept: ${(cause as Error).message}`, {
      hint: `Is there room on the disk of ${installation.directory}, and may the daemon write there?`,
      cause,
    })
  }
}

function policyOf({ policy }: Installation): Policy {
  return { ...strictPolicy, ...policy }
}
