import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import type { Addresses } from '../../src/engines/docker/addresses.ts'
import { cidrsOverlap, enclosingCidr } from '../../src/lib/cidr.ts'

/** One kind of implementation, running. */
export interface AddressHarness extends AsyncDisposable {
  /** Addresses of which none is given yet. */
  create(): Promise<{ addresses: Addresses } & AsyncDisposable>
}

type Scenario = (title: string, run: (addresses: Addresses) => Promise<void>) => unknown

const pool = { cidr: '10.213.0.0/16', subnetBits: 24 }
/** No network is made in it: its addresses are virtual. */
const virtual = { cidr: '10.214.0.0/24', subnetBits: 24 }
/** Five addresses a network. */
const small = { cidr: '10.213.0.0/16', subnetBits: 29 }
const anywhere = () => true

/** States what the Docker engine relies on, whoever keeps its addresses. */
export function addressContract(name: string, start: () => Promise<AddressHarness>): void {
  describe(`addresses: ${name}`, { concurrency: 2 }, () => {
    let harness: AddressHarness
    before(async () => {
      harness = await start()
    })
    after(async () => await harness[Symbol.asyncDispose]())
    const scenario: Scenario = (title, run) =>
      test(title, { timeout: 60_000 }, async () => {
        await using created = await harness.create()
        await run(created.addresses)
      })
    subnetScenarios(scenario)
    addressScenarios(scenario)
    severalScenarios(scenario)
    virtualScenarios(scenario)
  })
}

function subnetScenarios(scenario: Scenario): void {
  scenario(
    'a network keeps its subnet; one that clashes with the machine is passed over, for now',
    async (addresses) => {
      const first = '10.213.0.0/24'
      assert.equal(await addresses.subnet('one', pool, (cidr) => cidr !== first), '10.213.1.0/24')
      assert.equal(await addresses.subnet('two', pool, anywhere), first)
      assert.equal(await addresses.subnet('three', pool, anywhere), '10.213.2.0/24')
      assert.equal(await addresses.subnet('one', pool, () => false), '10.213.1.0/24')
      await addresses.freeSubnet('one')
      await addresses.freeSubnet('one')
      assert.equal(await addresses.subnet('one', pool, anywhere), '10.213.1.0/24')
    },
  )

  scenario('a subnet never overlaps one of another size', async (addresses) => {
    await addresses.subnet('one', pool, anywhere)
    assert.equal(await addresses.subnet('two', { ...pool, subnetBits: 20 }, anywhere), '10.213.16.0/20')
  })

  scenario('an empty pool is said, and a bad one refused', async (addresses) => {
    const two = { cidr: '10.213.7.0/28', subnetBits: 29 }
    assert.equal(await addresses.subnet('one', two, anywhere), '10.213.7.0/29')
    assert.equal(await addresses.subnet('two', two, anywhere), '10.213.7.8/29')
    await refuses(addresses.subnet('three', two, anywhere), 'capacity', /10\.213\.7\.0\/28/)
    await refuses(
      addresses.subnet('three', pool, () => false),
      'capacity',
    )
    for (const bad of [
      { cidr: '10.213.0/16', subnetBits: 24 },
      { cidr: '10.213.0.0/24', subnetBits: 16 },
      { cidr: '10.213.0.0/24', subnetBits: 31 },
    ]) {
      await refuses(addresses.subnet('three', bad, anywhere), 'invalid')
    }
  })

  scenario('a subnet that is given back takes its addresses along', async (addresses) => {
    await addresses.subnet('one', pool, anywhere)
    await addresses.take('one', 'P1')
    await addresses.freeSubnet('one')
    assert.deepEqual(await addresses.holders('one'), [])
    await refuses(addresses.take('one', 'P1'), 'not-found')
    assert.equal(await addresses.subnet('two', pool, anywhere), '10.213.0.0/24')
    assert.equal(await addresses.take('two', 'P2'), '10.213.0.2')
  })
}

function addressScenarios(scenario: Scenario): void {
  scenario('a holder has one address, the gateway and the ends have none', async (addresses) => {
    await refuses(addresses.take('one', 'P0'), 'not-found', /no subnet/)
    await addresses.subnet('one', small, anywhere)
    const given: string[] = []
    for (const holder of ['P1', 'P2', 'P3', 'P4', 'P5']) given.push(await addresses.take('one', holder))
    assert.deepEqual(given, ['10.213.0.2', '10.213.0.3', '10.213.0.4', '10.213.0.5', '10.213.0.6'])
    assert.equal(await addresses.take('one', 'P3'), '10.213.0.4')
  })

  scenario('a small subnet that is full says so, until one lets go', async (addresses) => {
    await addresses.subnet('one', small, anywhere)
    await addresses.subnet('two', small, anywhere)
    for (const holder of ['P1', 'P2', 'P3', 'P4', 'P5']) await addresses.take('one', holder)
    await refuses(addresses.take('one', 'P6'), 'capacity', /10\.213\.0\.0\/29/)
    assert.equal(await addresses.take('two', 'P6'), '10.213.0.10', 'another network has room')
    await addresses.free('one', 'P2')
    await addresses.free('one', 'P2')
    assert.equal(await addresses.take('one', 'P6'), '10.213.0.3')
    assert.deepEqual(await addresses.holders('one'), [
      { holder: 'P1', address: '10.213.0.2' },
      { holder: 'P3', address: '10.213.0.4' },
      { holder: 'P4', address: '10.213.0.5' },
      { holder: 'P5', address: '10.213.0.6' },
      { holder: 'P6', address: '10.213.0.3' },
    ])
  })

  scenario('an address that was freed is not the next one to be given', async (addresses) => {
    await addresses.subnet('one', small, anywhere)
    const given: string[] = []
    for (let i = 0; i < 7; i++) {
      given.push(await addresses.take('one', `P${i}`))
      await addresses.free('one', `P${i}`)
    }
    const last = given.map((address) => address.split('.').at(-1))
    assert.deepEqual(last, ['2', '3', '4', '5', '6', '2', '3'])
  })

  scenario('addresses and subnets taken at once are distinct', async (addresses) => {
    const names = Array.from({ length: 6 }, (_, i) => `network-${i}`)
    const subnets = await Promise.all(names.map(async (name) => addresses.subnet(name, pool, anywhere)))
    assert.equal(new Set(subnets).size, names.length)
    const again = Array.from({ length: 4 }, async () => addresses.subnet('one-more', pool, anywhere))
    assert.equal(new Set(await Promise.all(again)).size, 1)
    const takes = Array.from({ length: 30 }, async (_, i) => addresses.take('network-0', `P${i}`))
    assert.equal(new Set(await Promise.all(takes)).size, 30)
    const same = await Promise.all(Array.from({ length: 5 }, async () => addresses.take('network-1', 'P')))
    assert.equal(new Set(same).size, 1)
  })
}

function severalScenarios(scenario: Scenario): void {
  scenario('a holder on several networks of one app has an address in each', async (addresses) => {
    const [front, back] = ['shop/front', 'shop/back']
    const subnets = [
      await addresses.subnet(front, pool, anywhere),
      await addresses.subnet(back, small, anywhere),
    ]
    assert.deepEqual(subnets, ['10.213.0.0/24', '10.213.1.0/29'])
    const given = [await addresses.take(front, 'P1'), await addresses.take(back, 'P1')]
    assert.deepEqual(given, ['10.213.0.2', '10.213.1.2'])
    await addresses.free(front, 'P1')
    assert.deepEqual(await addresses.holders(front), [])
    assert.deepEqual(await addresses.holders(back), [{ holder: 'P1', address: '10.213.1.2' }])
    await addresses.freeSubnet(front)
    assert.equal(await addresses.take(back, 'P1'), '10.213.1.2', 'the other network is as it was')
  })
}

function virtualScenarios(scenario: Scenario): void {
  scenario('a virtual range is apart from the subnets of networks, which go on', async (addresses) => {
    const range = await addresses.subnet('virtual', virtual, anywhere)
    assert.equal(range, virtual.cidr, 'one key has the whole of it')
    const subnets = [
      await addresses.subnet('one', pool, anywhere),
      await addresses.subnet('two', pool, anywhere),
    ]
    for (const subnet of subnets) assert.ok(!overlap(subnet, range), `${subnet} is in ${range}`)
    const [web, db] = [await addresses.take('virtual', 'one/web'), await addresses.take('virtual', 'one/db')]
    assert.deepEqual([web, db], ['10.214.0.2', '10.214.0.3'])
    await addresses.take('one', 'P1')
    await addresses.freeSubnet('one')
    assert.equal(await addresses.take('virtual', 'one/web'), web, 'it outlives copies and networks')
  })

  scenario('no network gets a subnet of a virtual range, whatever its pool', async (addresses) => {
    const wide = { cidr: '10.214.0.0/23', subnetBits: 24 }
    await addresses.subnet('virtual', virtual, anywhere)
    assert.equal(await addresses.subnet('one', wide, anywhere), '10.214.1.0/24')
    await refuses(addresses.subnet('two', wide, anywhere), 'capacity', /10\.214\.0\.0\/23/)
    await refuses(addresses.subnet('more', { ...wide, subnetBits: 23 }, anywhere), 'capacity')
  })
}

function overlap(a: string, b: string): boolean {
  const [one, other] = [enclosingCidr(a), enclosingCidr(b)]
  return one !== null && other !== null && cidrsOverlap(one, other)
}

async function refuses(work: Promise<unknown>, code: ErrorCode, message = /./): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof RackError, String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })
}
