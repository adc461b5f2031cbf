import { readFile, rm } from 'node:fs/promises'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { tryLockFile } from '../lib/file-lock.ts'
import { until } from '../lib/poll.ts'
import { identifyProcess, isSameProcess, type ProcessIdentity } from '../lib/process-identity.ts'

/** Longer than a process that has the lock needs until its file says so. */
const writtenDeadlineMs = 2000

/**
 * Makes this process the rack's daemon, and says so in a file, until disposed. Of several that start at once one is it:
 * a lock decides, which ends with its process; the file is for those who look for the daemon.
 * @throws conflict while another live process is it
 */
export async function claimPidFile(path: string): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack()
  const lock = tryLockFile(`${path}.lock`)
  if (!lock) throw runsAlready(await waitForHolder(path))
  undo.use(lock)
  const holder = await liveHolder(path)
  if (holder && holder.pid !== process.pid) throw runsAlready(holder)
  const identity = await identifyProcess(process.pid)
  await writeFileAtomically(path, `${JSON.stringify(identity)}\n`, { mode: 0o600 })
  undo.defer(async () => {
    if ((await readHolder(path))?.pid === process.pid) await rm(path, { force: true })
  })
  const claim = undo.move()
  return { [Symbol.asyncDispose]: () => claim.disposeAsync() }
}

function runsAlready(holder: ProcessIdentity | null): RackError {
  const which = holder ? `, as process ${holder.pid}` : ''
  return new RackError('conflict', `the daemon runs already${which}`, { hint: 'rack status' })
}

/** Whoever looks after this process has ended must find the other one. */
async function waitForHolder(path: string): Promise<ProcessIdentity | null> {
  const wait = { deadlineMs: writtenDeadlineMs, intervalMs: 20, what: 'the daemon to say that it runs' }
  try {
    return await until(() => liveHolder(path), wait)
  } catch (error) {
    if (error instanceof DeadlineError) return null
    throw error
  }
}

async function liveHolder(path: string): Promise<ProcessIdentity | null> {
  const holder = await readHolder(path)
  if (!holder) return null
  return (await isSameProcess(holder.pid, { startTicks: holder.startTicks })) ? holder : null
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
