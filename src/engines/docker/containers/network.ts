import { RackError } from '../../../domain/error.ts'
import { cidrsOverlap, enclosingCidr, formatIpv4, type Cidr } from '../../../lib/cidr.ts'
import { until } from '../../../lib/poll.ts'
import { readRoutes } from '../../../lib/routes.ts'
import type { AddressPool, Addresses } from '../addresses.ts'
import type { DockerClient } from '../client.ts'
import type { NetworkInspect } from './docker-types.ts'
import { isNotFound } from '../errors.ts'
import { isSameOwner, ownerText, type Owner } from '../../../domain/owner.ts'
import { labels, ownedBy, ownerLabels, readOwner, type OwnedFilter } from '../labels.ts'
import { networkKey, networkName } from './names.ts'

type Signalled = { signal: AbortSignal }

export interface NetworkSettings {
  docker: DockerClient
  rack: string
  addresses: Addresses
  pool: AddressPool
}

/**
 * Makes the network of an app or a service, with the subnet that is kept for it, if it is not there. Safe to repeat.
 * @throws conflict when a network that is not its owner's has the name
 */
export async function ensureNetwork(
  settings: NetworkSettings,
  owner: Owner,
  control: Signalled,
): Promise<void> {
  const { docker, rack, addresses, pool } = settings
  const [name, key] = [networkName(rack, owner), networkKey(owner)]
  const [known, taken] = await Promise.all([
    findOwnNetwork(settings, owner, control),
    takenSubnets(docker, control),
  ])
  const isUsable = (cidr: string) => {
    const range = enclosingCidr(cidr)
    return range !== null && !taken.some((other) => cidrsOverlap(range, other))
  }
  const subnet = await addresses.subnet(key, pool, isUsable)
  if (known) {
    const own = known.IPAM.Config?.[0]?.Subnet
    if (own === subnet) return
    await replaceEmpty(docker, known, subnet, control)
  }
  try {
    await createNetwork(settings, { owner, name, subnet }, control)
  } catch (error) {
    // Somebody else has taken the range since it was looked at: it gets another, as long as nothing has an address.
    if (!isForbidden(error) || (await addresses.holders(key)).length > 0) throw error
    await addresses.freeSubnet(key)
    const next = await addresses.subnet(key, pool, (cidr) => cidr !== subnet && isUsable(cidr))
    await createNetwork(settings, { owner, name, subnet: next }, control)
  }
}

/** So Docker says no to a range that others have, and to the end of a network that has containers. */
function isForbidden(error: unknown): boolean {
  return error instanceof RackError && (error.details as { status?: number } | undefined)?.status === 403
}

/** How long a container that somebody else removes is waited for. */
const leavingPatienceMs = 10_000

/** Removes the network of an app or a service; safe to repeat. Its subnet is the caller's to give back. */
export async function removeNetwork(
  settings: NetworkSettings,
  owner: Owner,
  control: Signalled,
): Promise<void> {
  const { docker, rack } = settings
  // By its labels: another rack's may have the name.
  const end = performance.now() + leavingPatienceMs
  for (const { id } of await listNetworks(docker, rack, control, { owner })) {
    const remove = async () => {
      try {
        await removeById(docker, id, control)
        return true
      } catch (error) {
        if (!isForbidden(error) || performance.now() > end) throw error
        return false
      }
    }
    const what = `the containers of ${owner.name} to leave their network`
    await until(remove, { deadlineMs: 60_000, intervalMs: 100, what, signal: control.signal })
  }
}

/** The networks of the rack, or of one of its apps or services. */
export async function listNetworks(
  docker: DockerClient,
  rack: string,
  control: Signalled,
  filter: OwnedFilter = {},
): Promise<{ id: string; owner: Owner }[]> {
  const query = { filters: ownedBy(rack, filter) }
  const found = await docker.json<NetworkInspect[]>({ path: '/networks', query }, control)
  return found.flatMap(({ Id, Labels }) => {
    const owner = readOwner(Labels)
    return owner ? [{ id: Id, owner }] : []
  })
}

async function createNetwork(
  settings: NetworkSettings,
  { owner, name, subnet }: { owner: Owner; name: string; subnet: string },
  control: Signalled,
): Promise<void> {
  const { docker, rack } = settings
  const body = {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    IPAM: { Driver: 'default', Config: [{ Subnet: subnet, Gateway: firstAddress(subnet) }] },
    Labels: { [labels.rack]: rack, ...ownerLabels(owner) },
  }
  try {
    await docker.json({ method: 'POST', path: '/networks/create', body }, control)
  } catch (error) {
    // Made by another call in the meantime.
    const isTaken = error instanceof RackError && error.code === 'conflict'
    if (!isTaken || !(await findOwnNetwork(settings, owner, control))) throw error
  }
}

/** Null when there is none of its name. @throws conflict for one that the labels do not call the owner's */
async function findOwnNetwork(
  { docker, rack }: NetworkSettings,
  owner: Owner,
  control: Signalled,
): Promise<NetworkInspect | null> {
  const name = networkName(rack, owner)
  const found = await findNetwork(docker, name, control)
  const { [labels.rack]: holdingRack } = found?.Labels ?? {}
  const holder = readOwner(found?.Labels)
  if (!found || (holdingRack === rack && holder && isSameOwner(holder, owner))) return found
  const whose = holder ? `of ${ownerText(holder)} of the rack ${holdingRack}` : "that is no rack's"
  throw new RackError('conflict', `the network of ${owner.name} would be ${name}, the name of one ${whose}`, {
    hint: holder ? `Give the ${owner.kind} another name.` : `Look at it: docker network inspect ${name}`,
  })
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

/** Subnets of all Docker networks, and all routes of the host but the default one; what is not IPv4 is in nobody's way. */
async function takenSubnets(docker: DockerClient, control: Signalled): Promise<Cidr[]> {
  const [networks, routes] = await Promise.all([
    docker.json<NetworkInspect[]>({ path: '/networks' }, control),
    readRoutes(),
  ])
  const subnets = networks.flatMap(({ IPAM }) =>
    (IPAM.Config ?? []).map(({ Subnet = '' }) => enclosingCidr(Subnet)),
  )
  return [...subnets.filter((subnet) => subnet !== null), ...routes]
}

/** The gateway of a subnet is its first address. */
function firstAddress(cidr: string): string {
  return formatIpv4((enclosingCidr(cidr)?.base ?? 0) + 1)
}
