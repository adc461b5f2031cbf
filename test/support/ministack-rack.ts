import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { createAwsEngine } from '../../src/engines/aws/aws-engine.ts'
import { createOwnBuilder } from '../../src/main/own-builder.ts'
import { connectToDocker } from '../fake-aws/ecs/task-network.ts'
import { pushTo } from '../fake-aws/registry/docker-side.ts'
import { toolImage } from '../fake-aws/tool/tool-image.ts'
import { controlFor } from './docker-rack.ts'
import { makePlaces, startMiniStack } from './ministack.ts'
import type { Visit } from './visits.ts'

/** It answers at once, and takes a whole core to do so. */
const intervals = {
  tasks: 500,
  names: 500,
  targets: 500,
  stacks: 500,
  nameLife: 200,
  metrics: 1000,
  logs: 500,
  away: 1000,
  settle: 1000,
}

/** An engine in an account of MiniStack, under a name that no other run has. */
export async function openMiniStackRack() {
  const rack = `t-${randomBytes(4).toString('hex')}`
  await using undo = new AsyncDisposableStack()
  const account = await startMiniStack()
  undo.defer(() => account.close())
  const docker = connectToDocker()
  const registry = { host: account.host, login: () => ({ username: 'AWS', password: 'any' }) }
  const places = await makePlaces(account, rack)
  const image = async (local: string) =>
    await pushTo(docker, registry, { repository: `rack/${rack}`, local }, controlFor(120_000))
  const engine = createAwsEngine({
    rack,
    clients: account.clients,
    places: { ...places, toolImage: await image(await toolImage(docker, controlFor(120_000))) },
    total: { cpuUnits: 64 * 1024, memoryBytes: 64 * 2 ** 30 },
    domain: 'localhost',
    randomBytes,
    authorities: async () => await Promise.reject(new Error('no service of the account is made here')),
    builder: createOwnBuilder({ docker, rack, isAlone: true }),
    intervals,
  })
  undo.defer(() => engine.close())
  const closing = undo.move()
  return {
    rack,
    engine,
    image: await image('busybox:1'),
    visit: visitBalancer(account.endpoint, `${rack}-web`),
    close: () => closing.disposeAsync(),
  }
}

/** It leads by host name below a path of the balancer's own, and serves no port but its own. */
function visitBalancer(endpoint: string, balancer: string): Visit {
  return async (host) => {
    const signal = AbortSignal.timeout(10_000)
    const asking = request(`${endpoint}/_alb/${balancer}/`, { headers: { host }, agent: false, signal }).end()
    const [response] = (await once(asking, 'response', { signal })) as [IncomingMessage]
    return { status: response.statusCode ?? 0, text: (await text(response)).trim() }
  }
}
