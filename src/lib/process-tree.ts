import { identifyProcess } from './process-identity.ts'
import { until } from './poll.ts'
import { DeadlineError } from './deadline.ts'
import { readProcess } from './files.ts'

/** A process and all that it started, by process id (Linux), parents first. */
export async function processTree(pid: number): Promise<number[]> {
  const tree = [pid]
  // Grows while it is walked: the children of each are added behind it.
  for (const each of tree) tree.push(...(await childrenOf(each)))
  return tree
}

/** Asks a process and all that it started to end, and ends what is left after the grace. Safe to repeat. */
export async function endProcessTree(pid: number, graceMs: number): Promise<void> {
  const tree = await processTree(pid)
  signalAll(tree, 'SIGTERM')
  const isGone = async () => (await Promise.all(tree.map(identifyProcess))).every((found) => found === null)
  try {
    await until(isGone, { deadlineMs: graceMs, what: 'processes to end' })
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
    signalAll(tree, 'SIGKILL')
  }
}

function signalAll(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = (await readProcess(pid, `task/${pid}/children`)) ?? ''
  return text.trim().split(' ').filter(Boolean).map(Number)
}
