import { readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { RackError } from '../domain/error.ts'
import { syncDirectory, writeFileAtomically } from '../lib/atomic-file.ts'
import { listIfThere, readTextIfThere } from '../lib/files.ts'
import { identifyProcess, isSameProcess } from '../lib/process-identity.ts'
import { installationPaths, type MachineInstallation } from './installation.ts'
import { removeInstallation } from './make-installation.ts'

/** Says that a rack's directory is being filled, and by this process: until that has ended no daemon starts there. */
export async function markUnfinished(directory: string): Promise<void> {
  const identity = await identifyProcess(process.pid)
  const { unfinished } = installationPaths(directory)
  await writeFileAtomically(unfinished, `${JSON.stringify(identity)}\n`, { mode: 0o600 })
}

/** All of it is there, and on the disk. */
export async function markFinished(directory: string): Promise<void> {
  await rm(installationPaths(directory).unfinished)
  await syncDirectory(directory)
}

/** No daemon starts there from now on. Takes no room, so that it can be done on a full disk. */
export async function markForRemoval(directory: string): Promise<void> {
  const { configuration, unfinished } = installationPaths(directory)
  await rename(configuration, unfinished)
  await syncDirectory(directory)
}

/** Removes a rack that is marked; what ends in the middle of it leaves one that is marked. */
export async function removeMarked(installation: MachineInstallation): Promise<void> {
  const { directory } = installation
  const mark = basename(installationPaths(directory).unfinished)
  for (const name of await readdir(directory))
    if (name !== mark) await rm(join(directory, name), { recursive: true, force: true })
  await removeInstallation(installation)
}

/**
 * Removes what a restore that was ended has left half in the directory.
 * @returns whether there was anything
 * @throws conflict while that restore goes on
 */
export async function removeUnfinished(installation: MachineInstallation): Promise<boolean> {
  const { directory } = installation
  const { unfinished } = installationPaths(directory)
  const isThere = (await listIfThere(directory)).includes(basename(unfinished))
  if (!isThere) return false
  const writer = readWriter((await readTextIfThere(unfinished)) ?? '')
  if (writer && (await isSameProcess(writer.pid, writer))) {
    throw new RackError('conflict', `process ${writer.pid} restores a rack in ${directory}`, {
      hint: 'Wait until it has ended.',
    })
  }
  await removeMarked(installation)
  return true
}

function readWriter(text: string): { pid: number; startTicks: number } | null {
  try {
    const { pid, startTicks } = JSON.parse(text) as { pid?: number; startTicks?: number }
    return pid === undefined || startTicks === undefined ? null : { pid, startTicks }
  } catch (error) {
    // Half a file: whoever wrote it is gone.
    if (error instanceof SyntaxError) return null
    throw error
  }
}
