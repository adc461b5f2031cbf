import { randomBytes } from 'node:crypto'
import { connectDocker, type DockerClient } from '../../../src/engines/docker/client.ts'
import { isNotFound } from '../../../src/engines/docker/errors.ts'
import { dockerSocket } from '../../../src/lib/docker-socket.ts'
import { identifyProcess, isSameProcess } from '../../../src/lib/process-identity.ts'
import type { TaskNetwork } from '../links.ts'

type Signalled = { signal: AbortSignal }

/** The network that tasks of one account stand in; gone with `remove`. */
export interface OwnedTaskNetwork extends TaskNetwork {
  remove(): Promise<void>
}

/** On every object of an account: its run, and the process that it ends with. */
const runLabel = 'fake-aws'
const ownerLabel = 'fake-aws.owner'

interface Labelled {
  Id?: string
  Name?: string
  Labels: Record<string, string> | null
}

const always: Signalled = { signal: new AbortController().signal }

export function connectToDocker(): DockerClient {
  return connectDocker({ socketPath: dockerSocket(process.env) })
}

/** What marks an object of this account, and lets a later account know that it is left over. */
export async function labelsOf(run: string): Promise<Record<string, string>> {
  const { startTicks } = (await identifyProcess(process.pid)) ?? { startTicks: 0 }
  return { [runLabel]: run, [ownerLabel]: `${process.pid}:${startTicks}` }
}

/** The same for the command line of Docker. */
export async function labelOptions(run: string): Promise<string[]> {
  return Object.entries(await labelsOf(run)).flatMap(([name, value]) => ['--label', `${name}=${value}`])
}

/**
 * Makes the one network of an account. What accounts of processes that have ended left behind goes before.
 *
 * Security groups are not modelled: every task of the account reaches every other one.
 */
export async function createTaskNetwork({ run }: { run: string }): Promise<OwnedTaskNetwork> {
  const docker = connectToDocker()
  await sweepLeftovers(docker)
  const name = `${run}-${randomBytes(3).toString('hex')}`
  const body = { Name: name, Driver: 'bridge', CheckDuplicate: true, Labels: await labelsOf(run) }
  await docker.json({ method: 'POST', path: '/networks/create', body }, always)
  const found = await docker.json<{ IPAM: { Config: { Gateway: string }[] } }>(
    { path: `/networks/${name}` },
    always,
  )
  const gateway = found.IPAM.Config[0]?.Gateway
  if (gateway === undefined) throw new Error(`the network ${name} has no gateway`)
  return { name, gateway, remove: () => removeObject(docker, `/networks/${name}`) }
}

/** Removes the containers and volumes of one account. */
export async function removeTaskObjects(docker: DockerClient, run: string): Promise<void> {
  const isOfRun = (labels: Record<string, string>) => labels[runLabel] === run
  await removeContainers(docker, isOfRun)
  await removeVolumes(docker, isOfRun)
}

async function sweepLeftovers(docker: DockerClient): Promise<void> {
  const alive = new Map<string, boolean>()
  const isLeft = async (labels: Record<string, string>) => {
    const owner = labels[ownerLabel] ?? ''
    if (!alive.has(owner)) alive.set(owner, await isOwnerAlive(owner))
    return !alive.get(owner)
  }
  await removeContainers(docker, isLeft)
  await removeVolumes(docker, isLeft)
  const networks = await docker.json<Labelled[]>({ path: '/networks', query: byLabel }, always)
  await removeAll(docker, networks, isLeft, ({ Id }) => `/networks/${Id}`)
}

const byLabel = { filters: { label: [runLabel] } }

type Choose = (labels: Record<string, string>) => boolean | Promise<boolean>

async function removeContainers(docker: DockerClient, choose: Choose): Promise<void> {
  const query = { all: true, ...byLabel }
  const found = await docker.json<Labelled[]>({ path: '/containers/json', query }, always)
  await removeAll(docker, found, choose, ({ Id }) => `/containers/${Id}?force=1&v=1`)
}

async function removeVolumes(docker: DockerClient, choose: Choose): Promise<void> {
  const found = await docker.json<{ Volumes: Labelled[] | null }>(
    { path: '/volumes', query: byLabel },
    always,
  )
  await removeAll(docker, found.Volumes ?? [], choose, ({ Name }) => `/volumes/${Name}`)
}

async function removeAll(
  docker: DockerClient,
  found: Labelled[],
  choose: Choose,
  path: (one: Labelled) => string,
): Promise<void> {
  const remove = async (one: Labelled) => {
    if (await choose(one.Labels ?? {})) await removeObject(docker, path(one))
  }
  await Promise.all(found.map(remove))
}

export async function removeObject(docker: DockerClient, path: string): Promise<void> {
  try {
    await docker.json({ method: 'DELETE', path, deadlineMs: 60_000 }, always)
  } catch (error) {
    if (!isNotFound(error) && !isUnderWay(error)) throw error
  }
}

/** Someone else removes it at this moment. */
function isUnderWay(error: unknown): boolean {
  return error instanceof Error && error.message.includes('already in progress')
}

async function isOwnerAlive(owner: string): Promise<boolean> {
  const [pid = 0, startTicks = 0] = owner.split(':').map(Number)
  return await isSameProcess(pid, { startTicks })
}
