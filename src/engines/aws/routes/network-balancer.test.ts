import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../../domain/error.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { usualIntervals, type AwsParts } from '../parts.ts'
import { lookForBalancer } from './network-balancer.ts'

const control = { signal: new AbortController().signal }
const installed = { arn: 'arn:installed', host: 'installed.test' }
const later = { arn: 'arn:later', host: 'later.test' }

const failure = (name: string) =>
  new RackError('engine-failed', name, { cause: Object.assign(new Error(name), { name }) })

/** A rack in an account with a stack of ports, or none, in which these balancers are there. */
function partsOf({ stack, there }: { stack: string | null; there: string[] }): AwsParts {
  const Outputs = [
    { OutputKey: 'NetworkBalancer', OutputValue: later.arn },
    { OutputKey: 'NetworkBalancerHost', OutputValue: later.host },
  ]
  const describeStacks = async () => {
    if (stack === null) throw failure('ValidationError')
    return { Stacks: [{ StackName: 'rack-shop-ports', StackStatus: stack, Outputs }] }
  }
  const describeLoadBalancers = async ({ LoadBalancerArns }: { LoadBalancerArns: string[] }) => {
    if (!there.includes(LoadBalancerArns[0]!)) throw failure('LoadBalancerNotFoundException')
    return {}
  }
  return {
    rack: 'shop',
    clients: { stacks: { describeStacks }, balancers: { describeLoadBalancers } },
    places: { networkBalancer: installed },
    network: { balancer: undefined, turn: createSemaphore(1) },
    intervals: usualIntervals,
  } as unknown as AwsParts
}

test('a balancer that took the place of a deleted one is the one, and one that is gone is told', async () => {
  const look = async (found: Parameters<typeof partsOf>[0]) => await lookForBalancer(partsOf(found), control)
  const all = [installed.arn, later.arn]
  assert.deepEqual(await look({ stack: null, there: all }), { balancer: installed, lost: null })
  assert.deepEqual(await look({ stack: 'CREATE_COMPLETE', there: all }), { balancer: later, lost: null })
  assert.deepEqual(await look({ stack: null, there: [] }), { balancer: null, lost: installed })
  assert.deepEqual(await look({ stack: 'CREATE_COMPLETE', there: [] }), { balancer: null, lost: later })
  // One that is being made is there soon, and nothing that is lost.
  const making = partsOf({ stack: 'CREATE_IN_PROGRESS', there: [] })
  making.places.networkBalancer = null
  assert.deepEqual(await lookForBalancer(making, control), { balancer: null, lost: null })
  assert.equal(making.network.balancer, undefined)
})
