import { RackError } from '../domain/error.ts'
import { bindRoot, type Policy } from '../domain/policy.ts'
import { cidrsOverlap, formatCidr, parseCidr, type Cidr } from '../lib/cidr.ts'
import { firstFreePort, isPortFree } from '../lib/free-port.ts'
import { formatBytes } from '../lib/sizes.ts'
import type { Installation } from './installation.ts'
import type { MachineFacts } from './machine-facts.ts'
import { checkBinds } from './policy-file.ts'

/** What a person may say of a rack to install; the rest has defaults. */
export interface InstallWishes {
  name: string
  directory: string
  apiPort?: number
  httpPort?: number
  httpBind?: string
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
  /** The first that is free from here on. */
  apiPort: 5480,
  /** The first that is free. */
  httpPorts: [80, 8080],
  httpBind: '0.0.0.0',
  domain: 'localhost',
  /** The first `10.N.0.0/16` from here on that clashes with nothing. */
  poolSecondByte: 213,
  poolBits: 16,
  subnetBits: 24,
  reserveCpuUnits: 256,
  reserveMemoryBytes: 512 * 2 ** 20,
  socketPath: '/var/run/docker.sock',
}

const namePattern = /^[a-z][a-z0-9-]{2,29}$/
const domainPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/

/**
 * Decides what will be installed: wishes, else defaults that fit the machine and leave other racks alone.
 * @throws invalid; port-taken; conflict for a pool that clashes
 */
export async function planInstallation(
  wishes: InstallWishes,
  machine: MachineFacts,
  others: Installation[],
): Promise<Installation> {
  const { name, directory } = wishes
  const { apiHost, httpBind, domain, socketPath } = { ...installDefaults, ...defined(wishes) }
  if (!namePattern.test(name)) {
    throw new RackError('invalid', `"${name}" cannot be a rack's name`, {
      hint: 'Use 3 to 30 lower-case letters, digits and dashes, a letter first: --name NAME',
    })
  }
  if (domain.length > 200 || !domainPattern.test(domain)) {
    throw new RackError('invalid', `"${domain}" cannot be a domain`, {
      hint: 'It looks like apps.example.com',
    })
  }
  // Those of racks that are stopped are theirs still.
  const apiTaken = new Set(others.map(({ api }) => api.port))
  const httpTaken = new Set(others.map(({ http }) => http.port))
  return {
    name,
    directory,
    api: { host: apiHost, port: await chooseApiPort(wishes.apiPort, apiTaken) },
    http: { bind: httpBind, port: await chooseHttpPort(httpBind, wishes.httpPort, httpTaken) },
    domain,
    pool: { cidr: choosePool(wishes.pool, machine, others), subnetBits: installDefaults.subnetBits },
    total: chooseTotal(wishes, machine),
    socketPath,
    ...(wishes.policy && { policy: await choosePolicy(wishes.policy, { directory, socketPath }) }),
    created: new Date().toISOString(),
  }
}

async function chooseApiPort(wish: number | undefined, taken: Set<number>): Promise<number> {
  const { apiHost, apiPort } = installDefaults
  if (wish !== undefined) return await wishedPort(apiHost, wish, '--api-port')
  const candidates = Array.from({ length: 100 }, (_, at) => apiPort + at).filter((port) => !taken.has(port))
  const found = await firstFreePort(apiHost, candidates)
  if (found !== null) return found
  throw new RackError(
    'port-taken',
    `no port from ${apiPort} to ${apiPort + 99} of ${apiHost} is free for the API`,
    {
      hint: 'Choose one: --api-port NUMBER',
    },
  )
}

async function chooseHttpPort(bind: string, wish: number | undefined, taken: Set<number>): Promise<number> {
  if (wish !== undefined) return await wishedPort(bind, wish, '--http-port')
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

async function wishedPort(host: string, port: number, flag: string): Promise<number> {
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

function choosePool(wish: string | undefined, machine: MachineFacts, others: Installation[]): string {
  const taken = [...machine.routes, ...others.flatMap(({ pool }) => parseCidr(pool.cidr) ?? [])]
  const clashOf = (range: Cidr) => taken.find((other) => cidrsOverlap(range, other))
  if (wish !== undefined) return wishedPool(wish, clashOf)
  const { poolSecondByte, poolBits } = installDefaults
  for (let second = poolSecondByte; second < 256; second++) {
    const range = { base: (10 * 256 + second) * 65536, bits: poolBits }
    if (!clashOf(range)) return formatCidr(range)
  }
  throw new RackError('conflict', 'no network from 10.213.0.0/16 on is free', {
    hint: 'Name one that this machine does not reach otherwise: --pool 172.20.0.0/16',
  })
}

function wishedPool(text: string, clashOf: (range: Cidr) => Cidr | undefined): string {
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

async function choosePolicy(
  { binds, privileged }: Policy,
  guarding: Pick<Installation, 'directory' | 'socketPath'>,
): Promise<Policy> {
  const roots = [...new Set(binds.map(bindRoot))].sort()
  await checkBinds(roots, guarding)
  return { binds: roots, privileged }
}

function chooseTotal(wishes: InstallWishes, machine: MachineFacts): Installation['total'] {
  const { reserveCpuUnits, reserveMemoryBytes } = { ...installDefaults, ...defined(wishes) }
  const cpuUnits = wishes.cpuUnits ?? machine.cpuUnits - reserveCpuUnits
  const memoryBytes = wishes.memoryBytes ?? Math.floor(machine.memoryBytes - reserveMemoryBytes)
  if (cpuUnits < 128 || memoryBytes < 64 * 2 ** 20) {
    const left = `${cpuUnits} cpu units and ${formatBytes(memoryBytes)}`
    throw new RackError('invalid', `too little is left for apps: ${left}`, {
      hint: 'Give more: --cpu UNITS --memory SIZE, or keep less back: --reserve-cpu UNITS --reserve-memory SIZE',
    })
  }
  return { cpuUnits, memoryBytes }
}

function defined<T extends object>(wishes: T): Partial<T> {
  return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== undefined)) as Partial<T>
}
