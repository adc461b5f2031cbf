import { RackError } from '../domain/error.ts'
import { changedPolicy, noPolicyChange, strictPolicy, type Policy } from '../domain/policy.ts'
import { cidrsOverlap, formatCidr, parseCidr, type Cidr } from '../lib/cidr.ts'
import { usualDockerSocket } from '../lib/docker-socket.ts'
import { firstFreePort, isPortFree } from '../lib/free-port.ts'
import { isIpRange } from '../lib/ip-range.ts'
import { formatBytes } from '../lib/sizes.ts'
import type { MachineInstallation } from './installation.ts'
import type { MachineFacts } from './machine-facts.ts'
import { apiSocketPath } from './api-socket.ts'
import { checkBinds } from './check-binds.ts'

/** What a person may say of a rack to install; the rest has defaults. */
export interface InstallOptions {
  name: string
  directory: string
  /** The API over TCP too, on loopback. */
  apiPort?: number
  /** A group whose members may use the API's socket. */
  apiGroup?: { name: string; id: number }
  httpPort?: number
  httpBind?: string
  /** Where http is served by TLS too; null for nowhere. */
  httpsPort?: number | null
  /** Whether the API is served there too, which it is unless it is said. */
  apiByHttps?: boolean
  /** Where external tcp ports listen; as http unless it is given. */
  tcpBind?: string
  /** Addresses and networks of proxies in front of the router. */
  trustedProxies?: string[]
  domain?: string
  /** `10.213.0.0/16` */
  pool?: string
  cpuUnits?: number
  memoryBytes?: number
  reserveCpuUnits?: number
  reserveMemoryBytes?: number
  socketPath?: string
  policy?: Policy
}

/** What a rack is when nothing else is said. */
export const installDefaults = {
  apiHost: '127.0.0.1',
  /** The first that is free. */
  httpPorts: [80, 8080],
  /** That of TLS beside each of these, where nobody has it. */
  httpsPorts: new Map([
    [80, 443],
    [8080, 8443],
  ]),
  httpBind: '0.0.0.0',
  domain: 'localhost',
  /** The first `10.N.0.0/16` from here on that clashes with nothing. */
  poolSecondByte: 213,
  poolBits: 16,
  subnetBits: 24,
  /** The first /20 of it that clashes with nothing is for the names of process types. */
  nameRanges: '198.18.0.0/15',
  nameBits: 20,
  reserveCpuUnits: 256,
  reserveMemoryBytes: 512 * 2 ** 20,
  socketPath: usualDockerSocket,
}

const namePattern = /^[a-z][a-z0-9-]{2,29}$/
/** `rack-NAME-router.service` is the router's unit of another rack, and so on. */
const unitEndings = ['-router', '-names']
const domainPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/** @throws invalid */
export function checkDomain(domain: string): void {
  if (domain.length <= 200 && domainPattern.test(domain)) return
  throw new RackError('invalid', `"${domain}" cannot be a domain`, { hint: 'It looks like apps.example.com' })
}

/** @throws invalid */
export function checkName(name: string): void {
  if (!namePattern.test(name)) {
    throw new RackError('invalid', `"${name}" cannot be a rack's name`, {
      hint: 'Use 3 to 30 lower-case letters, digits and dashes, a letter first: --name NAME',
    })
  }
  const unitEnding = unitEndings.find((ending) => name.endsWith(ending))
  if (unitEnding === undefined) return
  const reason = `a rack's name does not end in ${unitEnding}: its unit would be another rack's`
  throw new RackError('invalid', reason, {
    hint: `Leave it off: --name ${name.slice(0, -unitEnding.length)}`,
  })
}

/**
 * Decides what will be installed: options, else defaults that fit the machine and leave other racks alone.
 * @throws invalid; port-taken; conflict for a pool that clashes
 */
export async function planInstallation(
  options: InstallOptions,
  machine: MachineFacts,
  others: MachineInstallation[],
): Promise<MachineInstallation> {
  const { name, directory } = options
  const { httpBind, domain, socketPath } = { ...installDefaults, ...defined(options) }
  checkName(name)
  checkDomain(domain)
  const socket = { path: apiSocketPath(directory), group: options.apiGroup ?? null }
  // Those of racks that are stopped are theirs still.
  const taken = new Set(others.flatMap(({ http, https }) => [http.port, https?.port ?? http.port]))
  const httpPort = await chooseHttpPort(httpBind, options.httpPort, taken)
  const httpsPort = await chooseHttpsPort(httpBind, options.httpsPort, { httpPort, taken })
  return {
    name,
    directory,
    socket,
    ...(options.apiPort !== undefined && { api: await wantedApi(options.apiPort) }),
    http: {
      bind: httpBind,
      port: httpPort,
      ...(options.trustedProxies && { trustedProxies: chooseProxies(options.trustedProxies) }),
    },
    ...(httpsPort !== null && { https: { port: httpsPort } }),
    ...(options.apiByHttps !== undefined && { apiByHttps: options.apiByHttps }),
    tcp: { bind: options.tcpBind === undefined ? httpBind : await ownAddress(options.tcpBind) },
    domain,
    pool: { cidr: choosePool(options.pool, machine, others), subnetBits: installDefaults.subnetBits },
    names: { cidr: chooseNames(machine, others) },
    total: chooseTotal(options, machine),
    socketPath,
    ...(options.policy && { policy: await choosePolicy(options.policy, { directory, socketPath, socket }) }),
    created: new Date().toISOString(),
  }
}

async function wantedApi(port: number): Promise<{ host: string; port: number }> {
  const { apiHost } = installDefaults
  return { host: apiHost, port: await wantedPort(apiHost, port, '--api-port') }
}

async function chooseHttpPort(bind: string, wanted: number | undefined, taken: Set<number>): Promise<number> {
  if (wanted !== undefined) return await wantedPort(bind, wanted, '--http-port')
  const { httpPorts } = installDefaults
  const found = await firstFreePort(
    bind,
    httpPorts.filter((port) => !taken.has(port)),
  )
  if (found !== null) return found
  throw new RackError('port-taken', `ports ${httpPorts.join(' and ')} of ${bind} cannot be had`, {
    hint: 'Another program or rack holds them, or this user may not. Choose another: --http-port NUMBER',
    details: { bind, ports: httpPorts },
  })
}

/** The usual one beside the usual port of http, while nobody has it; a rack with another port of http says which. */
async function chooseHttpsPort(
  bind: string,
  wanted: number | null | undefined,
  { httpPort, taken }: { httpPort: number; taken: Set<number> },
): Promise<number | null> {
  if (wanted === null) return null
  if (wanted !== undefined) return await wantedHttpsPort(bind, wanted, httpPort)
  const usual = installDefaults.httpsPorts.get(httpPort)
  if (usual === undefined || taken.has(usual)) return null
  return await firstFreePort(bind, [usual])
}

/** @throws invalid for that of http; port-taken */
export async function wantedHttpsPort(bind: string, port: number, httpPort: number): Promise<number> {
  if (port !== httpPort) return await wantedPort(bind, port, '--https-port')
  throw new RackError('invalid', `port ${port} is that of http`, {
    hint: 'Give https a port of its own: --https-port 443',
  })
}

/** @throws invalid for what is no address of this machine */
export async function ownAddress(host: string): Promise<string> {
  // Port 0 is any that is free.
  await isPortFree(host, 0).catch((cause: NodeJS.ErrnoException) => {
    throw new RackError('invalid', `${host} is no address of this machine`, {
      hint: '--tcp-bind ADDRESS, such as 127.0.0.1 or 0.0.0.0',
      cause,
    })
  })
  return host
}

async function wantedPort(host: string, port: number, flag: string): Promise<number> {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new RackError('invalid', `${flag}: a port is a whole number from 1 to 65535`)
  }
  const isFree = await isPortFree(host, port).catch((cause: NodeJS.ErrnoException) => {
    throw new RackError('invalid', `${host} is no address of this machine`, {
      hint: '--http-bind ADDRESS',
      cause,
    })
  })
  if (isFree) return port
  throw new RackError(
    'port-taken',
    `port ${port} of ${host} cannot be had: another program holds it, or this user may not`,
    {
      hint: `Choose another: ${flag} NUMBER`,
      details: { host, port },
    },
  )
}

function chooseProxies(wanted: string[]): string[] {
  const stranger = wanted.find((proxy) => !isIpRange(proxy))
  if (stranger === undefined) return [...new Set(wanted)].sort()
  throw new RackError('invalid', `"${stranger}" is no address or network of a proxy`, {
    hint: 'Such as --trusted-proxies 10.0.0.7 or --trusted-proxies 10.0.0.0/8,2001:db8::/32',
  })
}

function choosePool(
  wanted: string | undefined,
  machine: MachineFacts,
  others: MachineInstallation[],
): string {
  const taken = [...machine.routes, ...others.flatMap(({ pool }) => parseCidr(pool.cidr) ?? [])]
  const clashOf = (range: Cidr) => taken.find((other) => cidrsOverlap(range, other))
  if (wanted !== undefined) return wantedPool(wanted, clashOf)
  const { poolSecondByte, poolBits } = installDefaults
  for (let second = poolSecondByte; second < 256; second++) {
    const range = { base: (10 * 256 + second) * 65536, bits: poolBits }
    if (!clashOf(range)) return formatCidr(range)
  }
  throw new RackError('conflict', 'no network from 10.213.0.0/16 on is free', {
    hint: 'Name one that this machine does not reach otherwise: --pool 172.20.0.0/16',
  })
}

function wantedPool(text: string, clashOf: (range: Cidr) => Cidr | undefined): string {
  const range = parseCidr(text)
  const { subnetBits } = installDefaults
  if (!range || range.bits > subnetBits || range.bits < 8) {
    throw new RackError(
      'invalid',
      `"${text}" cannot be the pool: it takes a network of 8 to ${subnetBits} bits`,
      {
        hint: 'Each app gets a /24 of it: --pool 10.213.0.0/16',
      },
    )
  }
  const clash = clashOf(range)
  if (!clash) return formatCidr(range)
  throw new RackError(
    'conflict',
    `the pool ${text} clashes with ${formatCidr(clash)}, which this machine uses already`,
    {
      hint: 'Name another: --pool 10.214.0.0/16',
      details: { pool: text, clash: formatCidr(clash) },
    },
  )
}

/** Where all are taken it is the first: two racks may share one, since each minds its own apps' subnets alone. */
function chooseNames({ routes }: MachineFacts, others: MachineInstallation[]): string {
  const { nameRanges, nameBits } = installDefaults
  const all = parseCidr(nameRanges)!
  const taken = [...routes, ...others.flatMap(({ names }) => parseCidr(names?.cidr ?? '') ?? [])]
  const count = 2 ** (nameBits - all.bits)
  const ranges = Array.from({ length: count }, (_, at) => ({
    base: all.base + at * 2 ** (32 - nameBits),
    bits: nameBits,
  }))
  return formatCidr(ranges.find((range) => !taken.some((other) => cidrsOverlap(range, other))) ?? ranges[0]!)
}

async function choosePolicy(
  wanted: Policy,
  guarding: Pick<MachineInstallation, 'directory' | 'socketPath' | 'socket'>,
): Promise<Policy> {
  const { binds, devices, volumes, ...switches } = wanted
  const lists = { allowBinds: binds, allowDevices: devices, allowVolumes: volumes }
  const policy = changedPolicy(strictPolicy, { ...noPolicyChange, ...lists, ...switches })
  await checkBinds(policy.binds, guarding)
  return policy
}

function chooseTotal(options: InstallOptions, machine: MachineFacts): MachineInstallation['total'] {
  const { reserveCpuUnits, reserveMemoryBytes } = { ...installDefaults, ...defined(options) }
  const cpuUnits = options.cpuUnits ?? machine.cpuUnits - reserveCpuUnits
  const memoryBytes = options.memoryBytes ?? Math.floor(machine.memoryBytes - reserveMemoryBytes)
  if (cpuUnits < 128 || memoryBytes < 64 * 2 ** 20) {
    const left = `${cpuUnits} cpu units and ${formatBytes(memoryBytes)}`
    throw new RackError('invalid', `too little is left for apps: ${left}`, {
      hint: 'Give more: --cpu UNITS --memory SIZE, or keep less back: --reserve-cpu UNITS --reserve-memory SIZE',
    })
  }
  return { cpuUnits, memoryBytes }
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}
