import { randomBytes } from 'node:crypto'
import type { Plan } from '../../src/domain/plan.ts'
import { until } from '../../src/lib/poll.ts'
import { runInside, type InsideStreams } from '../../src/operations/services/run-inside.ts'
import type { Inside, ServiceType } from '../../src/services/service-type.ts'
import { deployPlan } from './deploy-plan.ts'
import { controlFor, type openDockerRack } from './docker-rack.ts'
import { planOf, processPlan } from './plans.ts'

type Rack = Awaited<ReturnType<typeof openDockerRack>>

/** A service of a type that runs on its real image, as a plan of its own, and answers; gone with its data in the end. */
export async function startService(
  rack: Rack,
  type: ServiceType,
  { version = type.versions.usual, adminPassword = randomBytes(16).toString('hex') } = {},
) {
  const owner = { kind: 'service' as const, name: `s-${randomBytes(4).toString('hex')}` }
  const plan = { ...(await planOfService(rack, type, { version, adminPassword })), owner }
  const place = { engine: rack.engine, copy: '' }
  const run = (inside: Inside, streams?: InsideStreams) =>
    runInside(rack.engine, place.copy, { inside, ...(streams && { streams }) }, controlFor(60_000))
  /** Brings it up, and a copy of it down before. */
  const bringUp = async (leaving: string[]) => {
    await deployPlan(rack.engine, plan, controlFor(60_000), { leaving })
    const copies = await rack.engine.processes({ owner }, controlFor(10_000))
    const process = copies.find(({ id }) => !leaving.includes(id))!
    place.copy = process.id
    await untilReady(type, run)
    return process
  }
  const process = await bringUp([])
  return {
    type,
    version,
    owner,
    adminPassword,
    /** The copy that it began with. */
    process,
    /** Where its data is. */
    place,
    run,
    restart: () => bringUp([place.copy]),
    /** A script of its shell, for what a test wants to see. */
    sh: (script: string, input = '') => run({ command: ['sh', '-c', script], input, secrets: [] }),
    [Symbol.asyncDispose]: () => rack.engine.remove(owner, { volumes: true }, controlFor(60_000)),
  }
}

export type ServiceWorld = Awaited<ReturnType<typeof startService>>

async function untilReady({ ready }: ServiceType, run: (inside: Inside) => Promise<string>): Promise<void> {
  if (!ready) return
  const answers = () =>
    run(ready).then(
      (version) => ({ version }),
      (error: unknown) => void (refusal = String(error)),
    )
  let refusal = ''
  const wait = { deadlineMs: 60_000, intervalMs: 200, what: 'a service that takes a login' }
  await until(async () => (await answers()) ?? null, wait).catch((cause: unknown) => {
    throw new Error(`the service does not answer: ${refusal}`, { cause })
  })
}

async function planOfService(
  rack: Rack,
  type: ServiceType,
  { version, adminPassword }: { version: string; adminPassword: string },
): Promise<Plan> {
  const dataPath = type.dataPath(version)
  const mount = { kind: 'volume', volume: 'data', readOnly: false, noCopy: false } as const
  const main = processPlan({
    type: 'main',
    image: await rack.image(type.image(version)),
    environment: type.environment(adminPassword),
    command: type.command && [...type.command],
    internalPorts: type.port === null ? [] : [type.port],
    mounts: dataPath === null ? [] : [{ ...mount, path: dataPath }],
    stopFirst: true,
    cpuUnits: type.cpuUnits,
    memoryBytes: type.memoryBytes,
    stopGraceMs: type.stopGraceMs,
  })
  return planOf([main], { rack: rack.rack, volumes: dataPath === null ? [] : ['data'] })
}
