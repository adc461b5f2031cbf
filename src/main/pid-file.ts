import { readFile, rm } from 'node:fs/promises'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { identifyProcess, isSameProcess, type ProcessIdentity } from '../lib/process-identity.ts'

/**
 * Says in a file which process is the rack's daemon, until disposed.
 * @throws conflict while another live process is it
 */
export async function claimPidFile(path: string): Promise<AsyncDisposable> {
  const holder = await readHolder(path)
  if (
    holder &&
    holder.pid !== process.pid &&
    (await isSameProcess(holder.pid, { startTicks: holder.startTicks }))
  ) {
    throw new RackError('conflict', `the daemon runs already, as process ${holder.pid}`, {
      hint: 'rack status',
    })
  }
  const identity = await identifyProcess(process.pid)
  await writeFileAtomically(path, `${JSON.stringify(identity)}\n`, { mode: 0o600 })
  return {
    async [Symbol.asyncDispose]() {
      // Of two that start at the same moment the second fails, and must leave the first one's file.
      if ((await readHolder(path))?.pid === process.pid) await rm(path, { force: true })
    },
  }
}

async function readHolder(path: string): Promise<ProcessIdentity | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  try {
    return JSON.parse(text) as ProcessIdentity
  } catch (error) {
    // Damaged, so nobody's: the daemon must be able to start.
    if (error instanceof SyntaxError) return null
    throw error
  }
}
