import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDaemon, openDoors } from '../daemon-way.ts'
import { labelsOf, removeObject } from '../task-network.ts'
import type { EcsState, TaskRecord } from '../state.ts'

type Signalled = { signal: AbortSignal }

/** Where a task stands: the container whose network namespace the others join, and the two files they share. */
export interface Holder {
  dockerId: string
  /** Binds of Docker: containers of an `awsvpc` task share both files (V: aws.md 1.2). */
  networkFiles: string[]
  /** What all containers of a daemon find, and what leads it to the account; nothing for any other task. */
  environment: Record<string, string>
  doors: string | null
}

/** How long Docker may take to make or start a container: this machine may be busy with many. */
export const startMs = 120_000
/** Does nothing, as the pause container of a task (S). */
const holderImage = 'busybox:1'

export async function createHolder(state: EcsState, task: TaskRecord, control: Signalled): Promise<Holder> {
  const directory = directoryOf(state, task)
  await mkdir(directory, { recursive: true })
  const hosts = join(directory, 'hosts')
  const resolver = join(directory, 'resolv.conf')
  await writeFile(hosts, '127.0.0.1 localhost\n')
  // D: a VPC's own resolver, and its domain of names by address.
  const search = `${state.account.region}.compute.internal`
  await writeFile(resolver, `nameserver ${state.network.gateway}\nsearch ${search}\n`)
  const networkFiles = [`${hosts}:/etc/hosts`, `${resolver}:/etc/resolv.conf`]
  const dockerId = await start(state, task, networkFiles, control)
  const found = await state.docker.json<{
    NetworkSettings: { Networks: Record<string, { IPAddress: string; MacAddress: string }> }
  }>({ path: `/containers/${dockerId}/json` }, control)
  const { IPAddress, MacAddress } = found.NetworkSettings.Networks[state.network.name]!
  const hostName = `ip-${IPAddress.replaceAll('.', '-')}.${search}`
  // What a process finds by its own host name is its address, as on Fargate (D); Docker has chosen that name before.
  await writeFile(hosts, `127.0.0.1 localhost\n${IPAddress} ${hostName} ${dockerId.slice(0, 12)}\n`)
  task.address = IPAddress
  task.attachment.status = 'ATTACHED'
  // D: what DescribeTasks tells of a task's network interface.
  task.attachment.details = [
    { name: 'subnetId', value: 'subnet-fake' },
    { name: 'networkInterfaceId', value: `eni-${task.id.slice(0, 17)}` },
    { name: 'macAddress', value: MacAddress },
    { name: 'privateDnsName', value: hostName },
    { name: 'privateIPv4Address', value: IPAddress },
  ]
  const way = isDaemon(task) ? state.daemons : undefined
  return {
    dockerId,
    networkFiles,
    environment: (await way?.environment()) ?? {},
    doors: way ? await openDoors(state, way, { task, holderId: dockerId }, control.signal) : null,
  }
}

async function start(
  state: EcsState,
  task: TaskRecord,
  networkFiles: string[],
  control: Signalled,
): Promise<string> {
  const body = {
    Image: holderImage,
    Cmd: ['sleep', '2147483647'],
    Healthcheck: { Test: ['NONE'] },
    Labels: await labelsOf(state.account.run),
    HostConfig: {
      NetworkMode: state.network.name,
      Binds: networkFiles,
      // The network's own settings belong to the namespace, which all containers of the task share.
      Sysctls: networkSettings(task),
    },
  }
  const query = { name: `${state.account.run}-${task.id.slice(0, 12)}` }
  const made = { method: 'POST', path: '/containers/create', query, body, deadlineMs: startMs } as const
  const { Id } = await state.docker.json<{ Id: string }>(made, control)
  await state.docker.json({ method: 'POST', path: `/containers/${Id}/start`, deadlineMs: startMs }, control)
  return Id
}

function networkSettings(task: TaskRecord): Record<string, string> {
  const controls = task.containers.flatMap(({ definition }) => definition.systemControls ?? [])
  const ofNetwork = controls.filter(({ namespace }) => namespace!.startsWith('net.'))
  return Object.fromEntries(ofNetwork.map(({ namespace, value }) => [namespace!, value!]))
}

/** Removes what is left of a task: its containers, its own volumes, its holder and its files. */
export async function removeTaskParts(
  state: EcsState,
  task: TaskRecord,
  holder: Holder | null,
): Promise<void> {
  const ids = task.containers.map(({ dockerId }) => dockerId)
  const remove = async (id: string | null) => {
    if (id !== null) await removeObject(state.docker, `/containers/${id}?force=1&v=1`)
  }
  await Promise.all(ids.map(remove))
  await remove(holder?.doors ?? null)
  await remove(holder?.dockerId ?? null)
  const own = (task.definition.definition.volumes ?? []).filter((volume) => !volume.efsVolumeConfiguration)
  await Promise.all(
    own.map(({ name }) => removeObject(state.docker, `/volumes/${taskVolume(state, task, name!)}`)),
  )
  await rm(directoryOf(state, task), { recursive: true, force: true })
}

/** A volume of the task's own, gone with it. */
export function taskVolume({ account }: EcsState, task: TaskRecord, name: string): string {
  return `${account.run}-${task.id.slice(0, 12)}-${name}`
}

function directoryOf({ account }: EcsState, task: TaskRecord): string {
  return join(account.directory, 'tasks', task.id)
}
