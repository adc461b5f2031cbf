import { randomBytes } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { createClients } from '../../src/aws/clients.ts'
import { createAwsEngine, type AwsEngine } from '../../src/engines/aws/aws-engine.ts'
import type { AwsEngineOptions } from '../../src/engines/aws/parts.ts'
import type { Plan } from '../../src/domain/plan.ts'
import { intervalsAt } from '../../src/engines/aws/intervals-at.ts'
import { startFakeAws, type FakeAwsOptions } from '../fake-aws/start-fake-aws.ts'

/** An engine in a fake account, under a name that no other run has. */
export async function openAwsRack({
  factor = 100,
  fake = {},
  more = {},
}: {
  factor?: number
  fake?: Pick<FakeAwsOptions, 'domain' | 'publicZones'>
  more?: Partial<AwsEngineOptions>
} = {}) {
  const rack = `t-${randomBytes(4).toString('hex')}`
  const listenOn = (port: number) => (port === 80 || port === 443 ? 0 : port)
  const account = await startFakeAws({ rack, factor, listenOn, ...fake })
  const clients = createClients(account.access())
  const resolver = new Resolver()
  resolver.setServers([account.network.gateway])
  const options: AwsEngineOptions = {
    rack,
    clients,
    places: account.places,
    total: { cpuUnits: 64 * 1024, memoryBytes: 64 * 2 ** 30 },
    domain: fake.domain ?? 'localhost',
    randomBytes,
    authorities: async () => account.databaseAuthority,
    lookup: async (host) => await resolver.resolve4(host),
    intervals: intervalsAt(factor),
    onTrouble: (error) => account.troubles.push(error),
    ...more,
  }
  const engines: AwsEngine[] = []
  const open = (more: Partial<AwsEngineOptions> = {}) => {
    const opened = createAwsEngine({ ...options, ...more })
    engines.push(opened)
    return opened
  }
  const engine = open()
  return {
    rack,
    engine: withDrains(engine, factor),
    account,
    clients,
    options,
    /** The same rack as a daemon that was started again sees it. */
    reopen: open,
    httpPort: account.loopbackPort('web', 80),
    /** Puts an image of this machine's Docker where the account has it. */
    image: async (name: string): Promise<string> => await account.repositories.push(`rack/${rack}`, name),
    close: async () => {
      // One that is left open goes on asking an account that is no more.
      for (const each of engines) await each.close()
      clients.close()
      await account.close()
    },
  }
}

/** Connections of a test end in this machine's own time, which drains in the account's time go by. */
function withDrains(engine: AwsEngine, factor: number): AwsEngine {
  const scaled = (plan: Plan): Plan => ({
    ...plan,
    processes: plan.processes.map((each) => ({ ...each, drainTimeoutMs: each.drainTimeoutMs * factor })),
  })
  return {
    ...engine,
    deploy: async (change, control) => {
      const { plan, live } = change
      const known = live && scaled(live)
      return await engine.deploy({ ...change, plan: scaled(plan), live: known }, control)
    },
  }
}
