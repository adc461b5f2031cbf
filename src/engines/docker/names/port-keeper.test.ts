import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import type { UdpRoute } from '../../../router/route-table.ts'
import { leadsNowhere, withCopy, withoutCopies } from './leading.ts'
import { createPortKeeper, portRules } from './port-keeper.ts'
import type { Condition } from './virtual-names.ts'

const signal = AbortSignal.timeout(60_000)
const subnet = '10.213.0.0/24'
const route: UdpRoute = {
  type: 'dns',
  port: 5353,
  bind: '0.0.0.0',
  listenPort: 53,
  allowedSources: ['192.0.2.0/24'],
  processes: ['PONE', 'PTWO'],
}
const one = { process: 'PONE', type: 'dns', address: '10.213.0.2' }
const two = { process: 'PTWO', type: 'dns', address: '10.213.0.3' }
const both = [one, two].reduce(withCopy, leadsNowhere)

const ruleOf = (
  leading: typeof leadsNowhere,
  { conditions = {}, nowMs = 0 }: { conditions?: Record<string, Condition>; nowMs?: number } = {},
) => portRules([route], { leading, subnet, conditionOf: (id) => conditions[id] ?? 'up', nowMs })[0]

test('a port leads to those copies of its type that listen there, and are well', () => {
  const { type: _, processes: __, ...open } = route
  const copies = [one.address, two.address]
  assert.deepEqual(ruleOf(both), { ...open, subnet, copies, isHeld: false })
  const deaf = { process: 'POLD', type: 'dns', address: '10.213.0.4' }
  assert.deepEqual(ruleOf(withCopy(both, deaf))?.copies, copies, 'one from before the port was open')
  const other = { process: 'PONE', type: 'web', address: '10.213.0.5' }
  assert.deepEqual(ruleOf(withCopy(leadsNowhere, other))?.copies, [])
  assert.deepEqual(ruleOf(both, { conditions: { PONE: 'down' } })?.copies, [two.address])
  assert.deepEqual(ruleOf(both, { conditions: { PONE: 'unwell', PTWO: 'down' } })?.copies, [one.address])
})

test('callers of a port without a copy wait as long as those of its name', () => {
  const gone = withoutCopies(both, ['PONE', 'PTWO'], 30_000, 1000)
  assert.equal(ruleOf(gone, { nowMs: 30_999 })?.isHeld, true)
  assert.equal(ruleOf(gone, { nowMs: 31_000 })?.isHeld, false)
})

/** A keeper, and what it has brought about; each step ends as it is told. */
function keeperThat({ areUsed = true, letThrough = async () => undefined as void }) {
  const steps: string[] = []
  const troubles: unknown[] = []
  const ports = new Map<string, UdpRoute[]>()
  const keeper = createPortKeeper({
    ports,
    areUsed: () => areUsed,
    apply: async () => void steps.push(`apply ${[...ports.keys()].join(' ')}`),
    async letThrough() {
      steps.push('let through')
      await letThrough()
    },
    onTrouble: (error) => void troubles.push(error),
  })
  return { keeper, steps, troubles, ports }
}

test('a port is opened once, and closed though others have theirs', async () => {
  const { keeper, steps } = keeperThat({})
  const [shop, blog] = [appOwner('shop'), appOwner('blog')]
  await keeper.openPorts(shop, [], { signal })
  assert.deepEqual(steps, [], 'there is nothing to close')
  await keeper.openPorts(shop, [route], { signal })
  await keeper.openPorts(shop, [route], { signal })
  await keeper.openPorts(blog, [{ ...route, listenPort: 54 }], { signal })
  assert.deepEqual([keeper.hasPorts(shop, 'dns'), keeper.hasPorts(shop, 'web')], [true, false])
  await keeper.openPorts(shop, [], { signal })
  assert.equal(keeper.hasPorts(shop, 'dns'), false)
  const through = 'let through'
  assert.deepEqual(steps, ['apply shop', through, 'apply shop blog', through, 'apply blog', through])
})

test('what did not come through is done again by the same call', async () => {
  let isClosed = true
  const { keeper, steps } = keeperThat({
    async letThrough() {
      if (isClosed) throw new Error('closed')
    },
  })
  await assert.rejects(keeper.openPorts(appOwner('shop'), [route], { signal }), /closed/)
  isClosed = false
  await keeper.openPorts(appOwner('shop'), [route], { signal })
  assert.equal(steps.length, 4)
})

test('an owner leaves though the ports of others do not come through', async () => {
  let isClosed = false
  const { keeper, troubles } = keeperThat({
    async letThrough() {
      if (isClosed) throw new Error('closed')
    },
  })
  await keeper.openPorts(appOwner('shop'), [route], { signal })
  isClosed = true
  await keeper.openPorts(appOwner('shop'), [], { signal })
  assert.match(String(troubles), /closed/)
})

test('without rules a port is refused, and its owner may leave', async () => {
  const { keeper, steps, ports } = keeperThat({ areUsed: false })
  const refusal = { code: 'host-failed', hint: 'See why: rack doctor' }
  await assert.rejects(keeper.openPorts(appOwner('shop'), [route], { signal }), refusal)
  ports.set('shop', [route])
  await keeper.openPorts(appOwner('shop'), [], { signal })
  assert.deepEqual([ports.size, steps], [0, []])
})
