import { execFile } from 'node:child_process'
import { access, constants, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { RackError } from '../domain/error.ts'
import { cidrsOverlap, formatCidr, parseCidr } from '../lib/cidr.ts'
import { isPortFree } from '../lib/free-port.ts'
import { formatBytes } from '../lib/sizes.ts'
import { answersHealth, findDaemon } from './daemon.ts'
import { checkEngine } from './engine-check.ts'
import type { Installation } from './installation.ts'
import { readMachineFacts } from './machine-facts.ts'
import { installDefaults } from './plan-installation.ts'
import { findRouter } from './router-process.ts'

/** One thing that was looked at. */
export interface Finding {
  check: string
  status: 'good' | 'warning' | 'bad'
  detail: string
  /** What to type. */
  fix?: string
}

const run = promisify(execFile)
const oldestHaproxy = [2, 6] as const
const littleDiskBytes = 2 * 2 ** 30
const noDiskBytes = 256 * 2 ** 20

/** Looks at the machine, and at a rack on it when one is given; all checks, whatever the first ones say. */
export async function examine(installation: Installation | null): Promise<Finding[]> {
  const socketPath = installation?.socketPath ?? installDefaults.socketPath
  const checks = [
    () => checkNode(),
    () => examineEngine(socketPath),
    () => examineHaproxy(),
    () => examineDisk(installation?.directory ?? '/var/lib'),
    ...(installation ? rackChecks(installation) : [() => examineFreePorts()]),
  ]
  const found = await Promise.all(checks.map((check) => check()))
  return found.flat()
}

function rackChecks(installation: Installation) {
  return [
    () => examineDirectory(installation),
    () => examineDaemon(installation),
    () => examineRouter(installation),
    () => examinePool(installation),
  ]
}

async function checkNode(): Promise<Finding> {
  const isGood = Number(process.versions.node.split('.')[0]) >= 24
  const finding: Finding = { check: 'node', status: isGood ? 'good' : 'bad', detail: process.version }
  return isGood ? finding : { ...finding, fix: 'npm ci' }
}

async function examineEngine(socketPath: string): Promise<Finding> {
  const check = 'docker engine'
  try {
    const { version, apiVersion } = await checkEngine(socketPath)
    return { check, status: 'good', detail: `${version} (API ${apiVersion}) at ${socketPath}` }
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    return { check, status: 'bad', detail: error.message, ...(error.hint && { fix: error.hint }) }
  }
}

async function examineHaproxy(): Promise<Finding> {
  const check = 'haproxy'
  const fix = 'apt-get install haproxy (2.6 or newer)'
  try {
    const { stdout } = await run('haproxy', ['-v'], { timeout: 10_000 })
    const [, version = '?', major = 0, minor = 0] = /version ((\d+)\.(\d+)\S*)/.exec(stdout) ?? []
    const [needMajor, needMinor] = oldestHaproxy
    const isGood = Number(major) > needMajor || (Number(major) === needMajor && Number(minor) >= needMinor)
    return isGood
      ? { check, status: 'good', detail: version }
      : { check, status: 'bad', detail: `${version} is too old`, fix }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return { check, status: 'bad', detail: isMissing ? 'it is not installed' : (error as Error).message, fix }
  }
}

async function examineDisk(directory: string): Promise<Finding> {
  const check = 'disk'
  const { bavail, bsize } = await statfs(await nearestFolder(directory))
  const free = bavail * bsize
  const detail = `${formatBytes(free)} free under ${directory}`
  if (free >= littleDiskBytes) return { check, status: 'good', detail }
  return { check, status: free < noDiskBytes ? 'bad' : 'warning', detail, fix: 'rack prune --build-cache' }
}

async function nearestFolder(directory: string): Promise<string> {
  for (let folder = directory; ; folder = dirname(folder)) {
    const isThere = await access(folder).then(
      () => true,
      () => false,
    )
    if (isThere || dirname(folder) === folder) return folder
  }
}

async function examineFreePorts(): Promise<Finding> {
  const { httpBind, httpPorts } = installDefaults
  const free = await Promise.all(httpPorts.map((port) => isPortFree(httpBind, port)))
  const open = httpPorts.filter((_port, at) => free[at])
  const check = 'http port'
  if (open.length > 0) return { check, status: 'good', detail: `port ${open[0]} is free` }
  return {
    check,
    status: 'warning',
    detail: `ports ${httpPorts.join(' and ')} cannot be had`,
    fix: 'rack install --http-port NUMBER',
  }
}

async function examineDirectory({ directory }: Installation): Promise<Finding> {
  const isMine = await access(directory, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  const check = 'directory'
  if (isMine) return { check, status: 'good', detail: directory }
  return {
    check,
    status: 'bad',
    detail: `${directory} cannot be written`,
    fix: 'Type it as the user who installed the rack.',
  }
}

async function examineDaemon(installation: Installation): Promise<Finding> {
  const check = 'daemon'
  const { api, directory } = installation
  const pid = await findDaemon(directory)
  if (pid !== null) {
    if (await answersHealth(installation)) {
      return { check, status: 'good', detail: `process ${pid} answers on ${api.host}:${api.port}` }
    }
    return {
      check,
      status: 'bad',
      detail: `process ${pid} does not answer`,
      fix: 'rack stop --keep-router && rack start',
    }
  }
  if (await isPortFree(api.host, api.port))
    return { check, status: 'bad', detail: 'it does not run', fix: 'rack start' }
  return {
    check,
    status: 'bad',
    detail: `it does not run, and another program holds port ${api.port} of ${api.host}`,
    fix: `End that program (ss -ltnp 'sport = :${api.port}'), then: rack start`,
  }
}

async function examineRouter({ directory, http }: Installation): Promise<Finding> {
  const check = 'router'
  const pid = await findRouter(directory)
  if (pid !== null)
    return { check, status: 'good', detail: `process ${pid} serves port ${http.port} of ${http.bind}` }
  if (await isPortFree(http.bind, http.port))
    return { check, status: 'bad', detail: 'it does not run', fix: 'rack start' }
  return {
    check,
    status: 'bad',
    detail: `it does not run, and another program holds port ${http.port}`,
    fix: `End that program (ss -ltnp 'sport = :${http.port}'), then: rack start`,
  }
}

/** The apps' own networks are part of the pool; a range that holds it, or lies across it, is not ours. */
async function examinePool({ pool }: Installation): Promise<Finding> {
  const check = 'address pool'
  const range = parseCidr(pool.cidr)
  if (!range) return { check, status: 'bad', detail: `${pool.cidr} is no network` }
  const { routes } = await readMachineFacts()
  const clash = routes.find((route) => cidrsOverlap(route, range) && route.bits !== pool.subnetBits)
  if (!clash) return { check, status: 'good', detail: pool.cidr }
  return {
    check,
    status: 'warning',
    detail: `${pool.cidr} clashes with ${formatCidr(clash)}, which this machine also uses`,
    fix: 'Change one of them; a rack gets its pool at its install: --pool 10.214.0.0/16',
  }
}
