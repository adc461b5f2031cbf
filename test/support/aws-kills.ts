import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createClients } from '../../src/aws/clients.ts'
import { noReleaseCommands, type Change } from '../../src/domain/engine.ts'
import { RackError } from '../../src/domain/error.ts'
import { makeId } from '../../src/domain/id.ts'
import { appOwner } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'
import type { AwsEngine } from '../../src/engines/aws/aws-engine.ts'
import { until } from '../../src/lib/poll.ts'
import { openAwsRack } from './aws-rack.ts'
import { exit, print, serveText, shellCommand, sleep } from './behaviour.ts'
import { controlFor } from './docker-rack.ts'
import { startLoad } from './load.ts'
import { planOf, processPlan, servesHttp } from './plans.ts'

/** What the daemon was about when it died: a first deploy, a change, one with a volume, one that fails and is undone. */
export type Kind = 'first' | 'change' | 'volume' | 'undo'

export interface Death {
  /** Its how-manieth call that changes something: to die at a look is to die after the change before it. */
  at: number
  /** Before AWS does it, or when it is done and the daemon has not heard of it. */
  when: 'before' | 'after'
}

export interface Round extends Death {
  kind: Kind
  /** What the next daemon is told: the plan again, or what was live before. */
  goal: 'same' | 'previous'
}

const deadlineMs = 90_000
const small = { cpuUnits: 64, memoryBytes: 32 * 2 ** 20 }

interface Dead {
  next: Plan
  before: Plan | null
  round: Round
}

export type KillWorld = Awaited<ReturnType<typeof openKillWorld>>

/** A rack whose daemons die at a call of theirs, each by a key of its own. */
export async function openKillWorld({ factor = 100 } = {}) {
  const rack = await openAwsRack({ factor })
  const image = await rack.image('busybox:1')
  const { account } = rack

  /** Gives the call that it died at; null where it came to its end before. */
  const dyingAt = async (
    death: Death,
    work: (engine: AwsEngine) => Promise<unknown>,
  ): Promise<string | null> => {
    const accessKeyId = `AKIA${randomBytes(6).toString('hex').toUpperCase()}`
    const clients = createClients(account.access(accessKeyId))
    const engine = rack.reopen({ clients, onTrouble: () => undefined })
    const died = account.calls.kill(accessKeyId, { at: { change: death.at }, when: death.when })
    const working = work(engine).then(
      () => null,
      (error: unknown) => error,
    )
    const record = await Promise.race([died, working.then(() => null)])
    await engine.close()
    clients.close()
    const failed = await working
    // What a dead daemon ends with is nobody's business.
    if (record === null && failed instanceof Error && !isFailedDeploy(failed)) throw failed
    return record && `${record.service}:${record.action}`
  }

  /** What a daemon that begins anew does, and lets go of everything. */
  const anew = async <T>(work: (engine: AwsEngine) => Promise<T>): Promise<T> => {
    const engine = rack.reopen()
    try {
      return await work(engine)
    } finally {
      await engine.close()
    }
  }

  const planFor = (app: string, kind: Kind, isBroken = false): Plan => {
    const release = makeId('R', randomBytes)
    const environment = { WORD: release }
    const own = { rack: rack.rack, owner: appOwner(app), release }
    if (kind === 'volume') {
      const mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false } as const
      const command = shellCommand([print(release), sleep])
      const db = processPlan({
        ...small,
        type: 'db',
        image,
        command,
        environment,
        stopFirst: true,
        mounts: [mount],
      })
      return planOf([db], { ...own, volumes: ['data'] })
    }
    const web = processPlan({
      ...small,
      image,
      environment,
      command: shellCommand(isBroken ? [exit(1)] : [serveText(8080, release)]),
      ...servesHttp(8080, [`${app}.localhost`]),
      // A second of this machine's time.
      drainTimeoutMs: 1000 * factor,
    })
    const worker = processPlan({
      ...small,
      type: 'worker',
      image,
      environment,
      command: shellCommand([print(release), sleep]),
    })
    return planOf([web, worker], own)
  }

  /** Settles when each type has its copies of this release, and nothing of another is left. */
  const atRest = async (engine: AwsEngine, { owner, release, processes }: Plan): Promise<void> => {
    const wanted = processes.map(({ type }) => `${type} ${release} running`).toSorted()
    let found: string[] = []
    const isAtRest = async () => {
      const all = await engine.processes({ owner }, controlFor(20_000))
      found = all.map(({ type, release: its, status }) => `${type} ${its} ${status}`).toSorted()
      const services = await servicesOf(rack, owner.name)
      if (services.length !== wanted.length) found.push(`services ${services.join(' ')}`)
      return found.join() === wanted.join()
    }
    await until(isAtRest, {
      deadlineMs,
      intervalMs: 200,
      what: () => `${wanted.join()}; there are ${found.join()}`,
    })
  }

  const deploy = async (engine: AwsEngine, plan: Plan, live: Plan | null) =>
    await engine.deploy(change(plan, live), controlFor(deadlineMs))
  const remove = async (engine: AwsEngine, app: string) =>
    await engine.remove(appOwner(app), { volumes: true }, controlFor(deadlineMs))

  /** What the next daemon makes of what a dead one left. Gives what is live then. */
  const recover = async (
    engine: AwsEngine,
    app: string,
    { next, before, round }: Dead,
  ): Promise<Plan | null> => {
    const { kind, goal } = round
    const wanted = goal === 'same' ? next : before
    if (wanted === null) {
      await remove(engine, app)
      return null
    }
    const again = deploy(engine, wanted, wanted === next ? before : next)
    const isBroken = kind === 'undo' && goal === 'same'
    if (isBroken) await assert.rejects(again, { code: 'deploy-failed' })
    else await again
    const live = isBroken ? before! : wanted
    await atRest(engine, live)
    if (kind !== 'first') return live
    await remove(engine, app)
    return null
  }

  /** One death, and what comes after. Gives the call it died at, and what is live then. */
  const playRound = async (app: string, live: Plan | null, round: Round) => {
    const { kind } = round
    return await anew(async (engine) => {
      const before = kind === 'first' ? null : (live ?? planFor(app, kind))
      if (before && !live) await deploy(engine, before, null)
      const next = planFor(app, kind, kind === 'undo')
      const load = before && kind !== 'volume' ? startVisitors(rack.httpPort, app) : null
      try {
        const died = await dyingAt(round, async (dying) => await deploy(dying, next, before))
        const after = await anew((following) => recover(following, app, { next, before, round }))
        const { failures = {}, requests = 0 } = (await load?.stop()) ?? {}
        assert.deepEqual(failures, {}, `visitors were refused: ${died} ${JSON.stringify(round)}`)
        return { died, requests, live: after }
      } finally {
        await load?.stop()
      }
    })
  }

  return {
    rack,
    factor,
    planFor,
    anew,
    playRound,

    /** Nothing runs when no app is kept. Gives what else is there still, of what generations stood on. */
    async sweepAll(): Promise<Record<string, number>> {
      await anew(async (engine) => {
        const keep = { owners: [], images: [], buildCache: false, volumes: false }
        await engine.sweep(keep, controlFor(deadlineMs))
        const isEmpty = async () => {
          const { services, tasks } = await countObjects(rack)
          return services === 0 && tasks === 0
        }
        await until(isEmpty, { deadlineMs, intervalMs: 500, what: 'nothing to run' })
      })
      assert.deepEqual(account.troubles, [])
      assert.deepEqual(account.calls.refused, [])
      return await countObjects(rack)
    },
  }
}

export const change = (plan: Plan, live: Plan | null): Change => ({
  plan,
  live,
  leaving: [],
  releaseCommands: noReleaseCommands,
})

function startVisitors(port: number, app: string) {
  return startLoad({ port, host: `${app}.localhost`, connections: 2, restMs: 20 })
}

function isFailedDeploy(error: Error): boolean {
  return error instanceof RackError && error.code === 'deploy-failed'
}

type Rack = Awaited<ReturnType<typeof openAwsRack>>

async function servicesOf({ account }: Rack, app: string): Promise<string[]> {
  const clients = createClients(account.access())
  try {
    const arns: string[] = []
    let nextToken: string | undefined
    do {
      const input = { cluster: account.places.cluster, ...(nextToken !== undefined && { nextToken }) }
      const page = await clients.ecs.listServices(input)
      arns.push(...(page.serviceArns ?? []))
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    return arns.map((arn) => arn.split('/').at(-1)!).filter((name) => name.startsWith(`${app}_`))
  } finally {
    clients.close()
  }
}

/** What generations stand on, in the whole account; the first page tells whether there is anything. */
export async function countObjects({ account }: Rack): Promise<Record<string, number>> {
  const clients = createClients(account.access())
  try {
    const { cluster } = account.places
    const { serviceArns = [] } = await clients.ecs.listServices({ cluster })
    const { taskArns = [] } = await clients.ecs.listTasks({ cluster })
    const { families = [] } = await clients.ecs.listTaskDefinitionFamilies({ status: 'ACTIVE' })
    const { TargetGroups = [] } = await clients.balancers.describeTargetGroups({})
    const { SecretList = [] } = await clients.secrets.listSecrets({})
    const { Services = [] } = await clients.discovery.listServices({})
    return {
      services: serviceArns.length,
      tasks: taskArns.length,
      families: families.length,
      groups: TargetGroups.length,
      secrets: SecretList.length,
      registries: Services.length,
    }
  } finally {
    clients.close()
  }
}
