import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Control } from '../domain/control.ts'
import { identifyProcess, seesSameFiles } from '../lib/process-identity.ts'
import { endProcess } from './end-process.ts'
import { installationPaths } from './installation.ts'

const stopDeadlineMs = 10_000

/** The configuration file that the rack's router runs with; it names the router among other HAProxys. */
export function routerConfiguration(directory: string): string {
  return join(installationPaths(directory).router, 'haproxy.cfg')
}

/** The process id of the rack's router, or null. Also when the daemon is down. */
export async function findRouter(directory: string): Promise<number | null> {
  const found = await findAll(directory)
  // Its worker has the same command line, and is its child.
  return found.find(({ pid }) => found.some(({ parent }) => parent === pid))?.pid ?? found[0]?.pid ?? null
}

/** Ends the router and its workers, their connections too. False when none ran. */
export async function stopRouter(directory: string, control: Control): Promise<boolean> {
  const master = await findRouter(directory)
  if (master === null) return false
  await endProcess(master, { what: 'the router', deadlineMs: stopDeadlineMs }, control)
  // A master that was killed leaves its worker behind.
  for (const { pid } of await findAll(directory)) {
    await endProcess(pid, { what: 'the router', deadlineMs: stopDeadlineMs }, control)
  }
  return true
}

async function findAll(directory: string): Promise<{ pid: number; parent: number }[]> {
  const marker = ` -f ${routerConfiguration(directory)} `
  const found: { pid: number; parent: number }[] = []
  for (const name of await readdir('/proc')) {
    const identity = /^\d+$/.test(name) ? await identifyProcess(Number(name)) : null
    if (!identity || !`${identity.commandLine} `.includes(marker)) continue
    const isHaproxy = identity.commandLine.split(' ')[0]?.endsWith('haproxy')
    if (isHaproxy && (await seesSameFiles(identity.pid))) {
      found.push({ pid: identity.pid, parent: await parentOf(identity.pid) })
    }
  }
  return found
}

async function parentOf(pid: number): Promise<number> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0
    throw error
  }
}
