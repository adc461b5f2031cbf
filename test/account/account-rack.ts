import { randomBytes } from 'node:crypto'
import type { InstallationAccount } from '../../src/account/installation-account.ts'
import type { InstallationInput } from '../../src/account/installation-stacks.ts'
import { leftResources, withData } from '../../src/account/left-resources.ts'
import { findStacks, makeStacks } from '../../src/account/make-stacks.ts'
import { placesOf } from '../../src/account/places.ts'
import { removeStacks } from '../../src/account/remove-stacks.ts'
import type { AwsClients } from '../../src/aws/clients.ts'
import { createOwnImages } from '../../src/aws/registry/own-images.ts'
import type { Control } from '../../src/domain/control.ts'
import type { AwsPlaces } from '../../src/domain/aws-places.ts'
import { createAwsEngine } from '../../src/engines/aws/aws-engine.ts'
import type { Intervals } from '../../src/engines/aws/parts.ts'
import { createOwnBuilder } from '../../src/main/own-builder.ts'
import { connectToDocker } from '../fake-aws/ecs/task-network.ts'
import { pushTo } from '../fake-aws/registry/docker-side.ts'
import { toolImage } from '../fake-aws/tool/tool-image.ts'
import type { AccountSettings } from './settings.ts'

/** An account, and how often it is asked: as AWS wants it, where nothing is said. */
export interface TestAccount extends Pick<InstallationAccount, 'keys' | 'roles' | 'intervalMs'> {
  clients: AwsClients
  intervals?: Partial<Intervals>
}

/** All that a rack needs is made for the run, but the network. */
export function installationOf({ rack, network, daemonFrom }: AccountSettings): InstallationInput {
  return { rack, network, daemonFrom, networkBalancer: true, images: null }
}

/** Makes the stacks of a rack, puts its images there by this machine's Docker, and opens an engine in them. */
export async function openAccountRack(account: TestAccount, settings: AccountSettings, control: Control) {
  const { rack } = settings
  const installation = installationOf(settings)
  const { rack: first } = await makeStacks(account, installation, control)
  const docker = connectToDocker()
  const login = await createOwnImages(account.clients.images).login(control.signal)
  const push = async (local: string) =>
    await pushTo(
      docker,
      { host: login.host, login: () => login },
      { repository: first['Repository']!, local },
      control,
    )
  const images = { tool: await push(await toolImage(docker, control)), builder: null }
  const outputs = await makeStacks(account, { ...installation, images }, control)
  const places = placesOf(outputs)
  const engine = openEngine(account, settings, places)
  return {
    engine,
    places,
    image: await push('busybox:1'),
    close: async (ending: Control) => {
      await engine.close()
      return await removeAccountRack(account, settings.rack, ending)
    },
    rack,
  }
}

function openEngine(
  { clients, intervals }: TestAccount,
  { rack }: Pick<AccountSettings, 'rack'>,
  places: AwsPlaces,
) {
  const docker = connectToDocker()
  return createAwsEngine({
    rack,
    clients,
    places,
    total: { cpuUnits: 64 * 1024, memoryBytes: 64 * 2 ** 30 },
    domain: 'localhost',
    randomBytes,
    authorities: async () => await Promise.reject(new Error('no service of the account is made here')),
    builder: createOwnBuilder({ docker, rack, isAlone: true }),
    ...(intervals && { intervals }),
  })
}

/**
 * Removes all of a rack of a test, whatever a run has left: apps, images, volumes, stacks, and what holds data. Gives what
 * stays: the key, for thirty days. Safe to repeat: what holds data is found also when its stack is gone.
 */
export async function removeAccountRack(
  account: TestAccount,
  rack: string,
  control: Control,
): Promise<{ type: string; id: string }[]> {
  if (!rack.startsWith('rt-')) throw new Error(`${rack} is no rack of a test`)
  const found = await findStacks(account, rack, control)
  // Where the tool never came nothing ever ran.
  if (found?.rack['ToolImage']) {
    const engine = openEngine(account, { rack }, placesOf(found))
    try {
      await engine.sweep({ owners: [], images: [], buildCache: true, volumes: true }, control)
    } finally {
      await engine.close()
    }
  }
  const left = await leftResources(account, rack, control)
  // A key alone opens nothing, and is on its way already.
  const held = (await withData(account, left, control)).length > 0 ? left : []
  return await removeStacks(account, { rack, data: true, held }, control)
}
