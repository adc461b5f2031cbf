import { readFile } from 'node:fs/promises'
import { RackError } from '../../../domain/error.ts'
import type { AddressPool, AddressStore } from '../../../domain/store.ts'
import type { DockerClient } from '../client.ts'
import type { NetworkInspect } from './docker-types.ts'
import { isNotFound } from '../errors.ts'
import { labels, ownedBy } from '../labels.ts'
import { networkName } from './names.ts'

type Signalled = { signal: AbortSignal }

export interface NetworkSettings {
  docker: DockerClient
  rack: string
  addresses: AddressStore
  pool: AddressPool
}

/** Makes the app's network with the subnet that the store gives, if it is not there. Safe to repeat. */
export async function ensureNetwork(
  settings: NetworkSettings,
  app: string,
  control: Signalled,
): Promise<void> {
  const { docker, rack, addresses, pool } = settings
  const name = networkName(rack, app)
  const [known, taken] = await Promise.all([
    findNetwork(docker, name, control),
    takenSubnets(docker, control),
  ])
  const isUsable = (cidr: string) => !taken.some((other) => cidrsOverlap(cidr, other))
  const subnet = await addresses.subnet(app, pool, isUsable)
  if (known) {
    const own = known.IPAM.Config?.[0]?.Subnet
    if (own === subnet) return
    await replaceEmpty(docker, known, subnet, control)
  }
  try {
    await createNetwork(settings, { app, name, subnet }, control)
  } catch (error) {
    // Somebody else has taken the range since it was looked at: the app gets another, as long as it has no address.
    if (!isRefusedRange(error) || (await addresses.holders(app)).length > 0) throw error
    await addresses.freeSubnet(app)
    const next = await addresses.subnet(app, pool, (cidr) => cidr !== subnet && isUsable(cidr))
    await createNetwork(settings, { app, name, subnet: next }, control)
  }
}

function isRefusedRange(error: unknown): boolean {
  return error instanceof RackError && (error.details as { status?: number } | undefined)?.status === 403
}

/** Removes the app's network; safe to repeat. The subnet stays the store's to give back. */
export async function removeNetwork(
  settings: NetworkSettings,
  app: string,
  control: Signalled,
): Promise<void> {
  const { docker, rack } = settings
  await removeById(docker, networkName(rack, app), control)
}

/** The names of the rack's apps that have a network. */
export async function listNetworks(
  docker: DockerClient,
  rack: string,
  control: Signalled,
): Promise<{ id: string; app: string }[]> {
  const query = { filters: ownedBy(rack) }
  const found = await docker.json<NetworkInspect[]>({ path: '/networks', query }, control)
  return found.map(({ Id, Labels }) => ({ id: Id, app: Labels?.[labels.app] ?? '' }))
}

async function createNetwork(
  { docker, rack }: NetworkSettings,
  { app, name, subnet }: { app: string; name: string; subnet: string },
  control: Signalled,
): Promise<void> {
  const body = {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    IPAM: { Driver: 'default', Config: [{ Subnet: subnet, Gateway: firstAddress(subnet) }] },
    Labels: { [labels.rack]: rack, [labels.app]: app },
  }
  try {
    await docker.json({ method: 'POST', path: '/networks/create', body }, control)
  } catch (error) {
    // Made by another call in the meantime.
    if (error instanceof RackError && error.code === 'conflict' && (await findNetwork(docker, name, control)))
      return
    throw error
  }
}

/** A network of ours with another subnet comes from a store that was lost; it may go only when nothing is on it. */
async function replaceEmpty(docker: DockerClient, known: NetworkInspect, subnet: string, control: Signalled) {
  if (Object.keys(known.Containers ?? {}).length > 0) {
    throw new RackError(
      'conflict',
      `the network ${known.Name} has another subnet than the rack's store says`,
      {
        hint: `Remove what is on it and the network itself: docker network inspect ${known.Name}`,
        details: { network: known.Name, found: known.IPAM.Config?.[0]?.Subnet, expected: subnet },
      },
    )
  }
  await removeById(docker, known.Id, control)
}

async function removeById(docker: DockerClient, id: string, control: Signalled): Promise<void> {
  try {
    await docker.json({ method: 'DELETE', path: `/networks/${id}` }, control)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

async function findNetwork(
  docker: DockerClient,
  name: string,
  control: Signalled,
): Promise<NetworkInspect | null> {
  try {
    return await docker.json<NetworkInspect>({ path: `/networks/${name}` }, control)
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}

/** Subnets of all Docker networks, and all routes of the host but the default one. */
async function takenSubnets(docker: DockerClient, control: Signalled): Promise<string[]> {
  const [networks, table] = await Promise.all([
    docker.json<NetworkInspect[]>({ path: '/networks' }, control),
    readFile('/proc/net/route', 'utf8'),
  ])
  const docked = networks.flatMap(({ IPAM }) =>
    (IPAM.Config ?? []).flatMap(({ Subnet }) => (Subnet ? [Subnet] : [])),
  )
  return [...docked, ...hostRoutes(table)]
}

/** CIDRs of `/proc/net/route`, whose numbers are hexadecimal with the lowest byte first. */
export function hostRoutes(table: string): string[] {
  const rows = table.trim().split('\n').slice(1)
  return rows.flatMap((row) => {
    const columns = row.split(/\s+/)
    const [destination, mask] = [columns[1] ?? '', columns[7] ?? '']
    if (mask === '' || mask === '00000000') return []
    const bits = Array.from(Buffer.from(mask, 'hex')).reduce((sum, byte) => sum + popCount(byte), 0)
    return [`${Array.from(Buffer.from(destination, 'hex')).reverse().join('.')}/${bits}`]
  })
}

/** Whether two IPv4 ranges share an address; what is not IPv4 overlaps nothing. */
export function cidrsOverlap(a: string, b: string): boolean {
  const [first, second] = [parseCidr(a), parseCidr(b)]
  if (!first || !second) return false
  const size = 2 ** (32 - Math.min(first.bits, second.bits))
  return Math.floor(first.address / size) === Math.floor(second.address / size)
}

/** The gateway of a subnet is its first address. */
function firstAddress(cidr: string): string {
  const { address, bits } = parseCidr(cidr) ?? { address: 0, bits: 32 }
  const size = 2 ** (32 - bits)
  const first = Math.floor(address / size) * size + 1
  return [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.')
}

function parseCidr(cidr: string): { address: number; bits: number } | null {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr)
  if (!match) return null
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number]
  return { address: ((a * 256 + b) * 256 + c) * 256 + d, bits }
}

function popCount(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length
}
