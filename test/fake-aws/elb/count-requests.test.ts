import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClients } from '../../../src/aws/clients.ts'
import { countRequests } from '../../../src/engines/aws/receipt/count-requests.ts'
import { usualIntervals } from '../../../src/engines/aws/parts.ts'
import { clientConfig } from '../client-config.ts'
import { startServer } from '../server.ts'
import { ask, createBalancerWorld } from './one-balancer.ts'

test('the requests of a release are counted, over several pages of groups', async () => {
  const factor = 1000
  await using world = await createBalancerWorld({ factor })
  const { account, elb, web } = world
  const server = await startServer({ ...account, services: [elb.metrics] })
  const clients = createClients(clientConfig(server))
  try {
    const from = new Date(account.clock.now())
    const groups: string[] = []
    for (let at = 0; at < 12; at++) {
      const group = await world.createGroup(`r-${at}`)
      groups.push(group)
      await world.createRule(at + 1, `h${at}.test`, group)
      if (at % 6 > 0) continue
      const target = await world.startTarget((_, response) => response.end())
      elb.targetGroups.register(group, target)
      await world.healthy(group, target)
    }
    // Rules have reached every node by then.
    await account.clock.pass(2000)
    for (const host of ['h0.test', 'h6.test', 'h6.test']) {
      assert.equal((await ask(web.loopbackPort(80), { host })).status, 200)
    }
    const intervals = { ...usualIntervals, metrics: usualIntervals.metrics / factor }
    const to = new Date(account.clock.now())
    const control = { signal: AbortSignal.timeout(10_000) }
    const counts = await countRequests(
      { clients, intervals },
      { balancer: web.arn, groups, from, to },
      control,
    )
    assert.deepEqual(counts, { requests: 3, failed: 0, longestStallMs: null, held: null })
  } finally {
    clients.close()
    await server.close()
  }
})
