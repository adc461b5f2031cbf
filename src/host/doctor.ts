import { constants, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { unservedName } from '../domain/endpoint.ts'
import { RackError } from '../domain/error.ts'
import { cidrsOverlap, formatCidr, parseCidr } from '../lib/cidr.ts'
import { dockerSocket } from '../lib/docker-socket.ts'
import { isThere } from '../lib/files.ts'
import { isPortFree } from '../lib/free-port.ts'
import { findPortHolder } from '../lib/port-holder.ts'
import { formatBytes } from '../lib/sizes.ts'
import { hasLua, haproxyVersion } from '../router/haproxy-program.ts'
import { answersHealth, findDaemon } from './daemon.ts'
import { checkEngine, hasLiveRestore } from './engine-check.ts'
import { isOnMachine, tcpBindRemark, type Installation, type MachineInstallation } from './installation.ts'
import { readMachineFacts } from './machine-facts.ts'
import { installDefaults } from './plan-installation.ts'
import { examineFirewall, examineNames, examineNetworks } from './examine-rules.ts'
import type { Finding } from './finding.ts'
import { findRouter, findUnserved } from './router.ts'

const littleDiskBytes = 2 * 2 ** 30
const noDiskBytes = 256 * 2 ** 20

/** Looks at the machine, and at a rack on it when one is given; all checks, whatever the first ones say. */
export async function examine(installation: Installation | null): Promise<Finding[]> {
  const checks =
    installation && !isOnMachine(installation) ? daemonChecks(installation) : machineChecks(installation)
  const found = await Promise.all(checks.map((check) => check()))
  return found.flat()
}

type Check = () => Promise<Finding | Finding[]>

/** Of a rack whose processes run elsewhere. */
function daemonChecks(installation: Installation): Check[] {
  return [
    () => checkNode(),
    () => examineDisk(installation.directory),
    () => examineDirectory(installation),
    () => examineDaemon(installation),
  ]
}

function machineChecks(installation: MachineInstallation | null): Check[] {
  const socketPath = installation?.socketPath ?? dockerSocket(process.env)
  return [
    () => checkNode(),
    () => examineEngine(socketPath),
    () => examineHaproxy(),
    () => examineDisk(installation?.directory ?? '/var/lib'),
    ...(installation ? rackChecks(installation) : [() => examineFreePorts()]),
  ]
}

function rackChecks(installation: MachineInstallation): Check[] {
  return [
    () => examineDirectory(installation),
    () => examineDaemon(installation),
    () => examineRouter(installation),
    () => examineTcpBind(installation),
    () => examineTcpPorts(installation),
    () => examinePool(installation),
    () => examineFirewall(installation),
    () => examineNames(installation),
    () => examineNetworks(installation),
  ]
}

async function checkNode(): Promise<Finding> {
  const isGood = Number(process.versions.node.split('.')[0]) >= 24
  const finding: Finding = { check: 'node', status: isGood ? 'good' : 'bad', detail: process.version }
  return isGood ? finding : { ...finding, fix: 'npm ci' }
}

/** What is said of Docker Engine alone, and of its settings where it answers. */
export async function examineEngine(socketPath: string): Promise<Finding[]> {
  const check = 'docker engine'
  try {
    const { version, apiVersion } = await checkEngine(socketPath)
    const detail = `${version} (API ${apiVersion}) at ${socketPath}`
    return [{ check, status: 'good', detail }, liveRestoreFinding(await hasLiveRestore(socketPath))]
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    return [{ check, status: 'bad', detail: error.message, ...(error.hint && { fix: error.hint }) }]
  }
}

function liveRestoreFinding(isOn: boolean): Finding {
  const check = 'live-restore'
  if (isOn) return { check, status: 'good', detail: 'apps run on while Docker Engine is restarted' }
  return {
    check,
    status: 'warning',
    detail: 'it is off: whatever restarts Docker Engine, such as its update, stops all apps meanwhile',
    fix: 'Put "live-restore": true into /etc/docker/daemon.json, then: systemctl reload docker (without systemd: kill -HUP $(pidof dockerd))',
  }
}

async function examineHaproxy(): Promise<Finding> {
  const check = 'haproxy'
  try {
    const version = await haproxyVersion()
    if (await hasLua()) return { check, status: 'good', detail: version }
    return {
      check,
      status: 'warning',
      detail: `${version} has no Lua: requests fail, and do not wait, while a process with a volume is replaced`,
      fix: 'Install one that is built with it, as the one of Debian is: apt-get install haproxy',
    }
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    return { check, status: 'bad', detail: error.message, fix: error.hint ?? 'haproxy -v' }
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
    if ((await isThere(folder)) || dirname(folder) === folder) return folder
  }
}

async function examineFreePorts(): Promise<Finding[]> {
  const { httpBind, httpPorts, httpsPorts } = installDefaults
  const free = await Promise.all(httpPorts.map((port) => isPortFree(httpBind, port)))
  const open = httpPorts.filter((_port, at) => free[at])
  const check = 'http port'
  if (open.length === 0) {
    const detail = `ports ${httpPorts.join(' and ')} cannot be had`
    return [{ check, status: 'warning', detail, fix: 'rack install --http-port NUMBER' }]
  }
  return [
    { check, status: 'good', detail: `port ${open[0]} is free` },
    await examineHttpsPort(httpBind, httpsPorts.get(open[0]!)!),
  ]
}

/** An install that is not told otherwise does without where it is taken. */
async function examineHttpsPort(bind: string, port: number): Promise<Finding> {
  const check = 'https port'
  if (await isPortFree(bind, port)) return { check, status: 'good', detail: `port ${port} is free` }
  const holder = await findPortHolder(port)
  const who = holder ? `process ${holder.pid} (${holder.program})` : 'another program'
  return {
    check,
    status: 'warning',
    detail: `port ${port} is held by ${who}: a rack that is installed now serves no https`,
    fix: `End that program (ss -ltnp 'sport = :${port}'), or: rack install --https-port NUMBER`,
  }
}

async function examineDirectory({ directory }: Installation): Promise<Finding> {
  const isMine = await isThere(directory, constants.R_OK | constants.W_OK)
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
  const { api, directory, socket } = installation
  const pid = await findDaemon(directory)
  if (pid !== null) {
    if (await answersHealth(installation)) {
      return { check, status: 'good', detail: `process ${pid} answers on ${socket.path}` }
    }
    return {
      check,
      status: 'bad',
      detail: `process ${pid} does not answer`,
      fix: 'rack stop --keep-router && rack start',
    }
  }
  if (api === undefined || (await isPortFree(api.host, api.port)))
    return { check, status: 'bad', detail: 'it does not run', fix: 'rack start' }
  return {
    check,
    status: 'bad',
    detail: `it does not run, and another program holds port ${api.port} of ${api.host}`,
    fix: `End that program (ss -ltnp 'sport = :${api.port}'), then: rack start`,
  }
}

async function examineRouter({ directory, http }: MachineInstallation): Promise<Finding> {
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

/** Said only of a rack that listens more widely than anybody asked for. */
async function examineTcpBind(installation: MachineInstallation): Promise<Finding[]> {
  const remark = tcpBindRemark(installation)
  return remark ? [{ check: 'tcp ports', status: 'warning', ...remark }] : []
}

/** One finding for each port that an app, or the rack itself, has lost. */
async function examineTcpPorts(installation: MachineInstallation): Promise<Finding[]> {
  const lost = await findUnserved(installation)
  return lost.map(({ port, holder, ...what }) => ({
    check: `port ${port}`,
    status: 'bad',
    detail: `${unservedName(what)} is not served there: ${holder ? `process ${holder.pid} (${holder.program})` : 'another program'} has it`,
    fix: holder
      ? `End that program; the rack takes the port as soon as it is free`
      : `See who it is (ss -ltnp 'sport = :${port}') and end it; the rack takes the port as soon as it is free`,
  }))
}

/** The apps' own networks are part of the pool; a range that holds it, or lies across it, is not ours. */
async function examinePool({ pool }: MachineInstallation): Promise<Finding> {
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
