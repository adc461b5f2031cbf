import { execFile } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { DeadlineError } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'
import { identifyProcess, seesSameFiles } from '../lib/process-identity.ts'
import { masterSocket } from './haproxy-config.ts'

const versionDeadlineMs = 10_000
const oldest = [2, 6] as const
const installHint = 'Install HAProxy 2.6 or later, for example: apt-get install haproxy'

/** The configuration that a router's HAProxy runs with; it names the router among other HAProxys. */
export const configPath = (directory: string): string => `${directory}/haproxy.cfg`
const pidPath = (directory: string): string => `${directory}/haproxy.pid`

/** What follows the program's name to run the router of a directory; it is to be started in that directory. */
export function haproxyArguments(directory: string): string[] {
  const socket = `${masterSocket(directory)},mode,600`
  return ['-W', '-S', socket, '-p', pidPath(directory), '-f', configPath(directory)]
}

export function missingProgram(program: string, cause: unknown): RackError {
  return new RackError('host-failed', `the program ${program} is not installed`, { hint: installHint, cause })
}

/**
 * The version of the installed HAProxy.
 * @throws host-failed when there is none, or it does not tell; unsupported when it is too old
 */
export async function haproxyVersion(program = 'haproxy'): Promise<string> {
  const text = await tell(program, '-v', 'its version')
  const [, version = '?', major = 0, minor = 0] = /version ((\d+)\.(\d+)\S*)/.exec(text) ?? []
  const [oldestMajor, oldestMinor] = oldest
  if (Number(major) > oldestMajor || (Number(major) === oldestMajor && Number(minor) >= oldestMinor)) {
    return version
  }
  throw new RackError('unsupported', `HAProxy ${version} is too old`, { hint: installHint })
}

/**
 * Whether HAProxy can run programs of ours; asked once, as what is built in does not change.
 * @throws host-failed when there is none, or it does not tell
 */
export async function hasLua(program = 'haproxy'): Promise<boolean> {
  return / \+LUA /.test(await tell(program, '-vv', 'what is built in'))
}

/**
 * The process id of the router's running master, or null; a zombie or another program under the number of the pid file
 * is none. Needs no daemon.
 * @param before what was found the last time: asked before all that runs is looked at
 */
export async function findHaproxy(directory: string, before: number | null = null): Promise<number | null> {
  const config = configPath(directory)
  const text = await readFile(pidPath(directory), 'utf8').catch(orNull)
  const noted = Number(text?.trim() || 0)
  if (await isOurs(noted, config)) return noted
  if (before !== null && (await isOurs(before, config))) return before
  // The pid file is missing or old when its writer was killed: look at what runs.
  const found = await listHaproxys(directory)
  // A worker has the command line of its master, but no child.
  return found.find(({ pid }) => found.some(({ parent }) => parent === pid))?.pid ?? null
}

/** The same for who asks again and again: without a pid file each time would read all of `/proc`. */
export function createHaproxyFinder(directory: string): () => Promise<number | null> {
  let last: number | null = null
  return async () => (last = await findHaproxy(directory, last))
}

async function tell(program: string, option: string, what: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  execFile(program, [option], { timeout: versionDeadlineMs }, (error, out) => {
    if (!error) return resolve(out)
    if (error.code === 'ENOENT') return reject(missingProgram(program, error))
    reject(new RackError('host-failed', `${program} does not tell ${what}`, { cause: error }))
  })
  return await promise
}

/** Master and workers; a master that was killed may leave its worker behind. */
async function listHaproxys(directory: string): Promise<{ pid: number; parent: number }[]> {
  const config = configPath(directory)
  const found: { pid: number; parent: number }[] = []
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!(await isOurs(pid, config))) continue
    const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(orNull)
    if (status !== null)
      found.push({ pid, parent: Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]) })
  }
  return found
}

/**
 * Ends the router and its workers, their connections too; false when none ran.
 * @throws host-failed when they do not end, or this user may not end them
 */
export async function endHaproxys(
  directory: string,
  { deadlineMs }: { deadlineMs: number },
  { signal }: Control,
): Promise<boolean> {
  const isGone = async () => (await listHaproxys(directory)).length === 0
  if (await isGone()) return false
  for (const end of ['SIGTERM', 'SIGKILL'] as const) {
    for (const { pid } of await listHaproxys(directory)) sendSignal(pid, end)
    try {
      await until(isGone, { deadlineMs, what: 'the router to end', signal })
      return true
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error
    }
  }
  throw new RackError('host-failed', 'the router does not end')
}

async function isOurs(pid: number, config: string): Promise<boolean> {
  const found = await identifyProcess(pid)
  return found !== null && isOurCommand(found.commandLine, config) && (await seesSameFiles(pid))
}

function isOurCommand(commandLine: string, config: string): boolean {
  return commandLine.split(' ')[0]!.includes('haproxy') && `${commandLine} `.includes(` -f ${config} `)
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ESRCH') return
    throw new RackError('host-failed', `the router (process ${pid}) cannot be ended: ${code}`, {
      hint: code === 'EPERM' ? 'It belongs to another user: try as root.' : undefined,
      cause,
    })
  }
}

/** For what may be gone, or not there yet: absence is the answer. */
function orNull(error: unknown): null {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ESRCH') return null
  throw error
}
