import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { createPlaceKeeper } from './place-keeper.ts'
import type { PlacedCopy } from './placed.ts'
import { createPlaces } from './places.ts'

const control = { signal: new AbortController().signal }
const owner = appOwner('shop')

const copy = (processId: string, address: string, networks: string[] | null): PlacedCopy => ({
  process: processId,
  type: 'web',
  address,
  networks,
  isEnclosed: false,
  isCopy: true,
})

const found = (one: PlacedCopy) => ({ ...one, kind: 'process' }) as unknown as FoundCopy

function openKeeper(inFlight: string[] = [], areUsed = true) {
  const places = createPlaces()
  const written: string[] = []
  const write = (how: string) =>
    void written.push(
      `${how}: ${places
        .of('shop')
        .map((one) => one.process)
        .join()}`,
    )
  const keeper = createPlaceKeeper({
    places,
    subnetOf: async () => '10.213.0.0/24',
    isInFlight: (processId) => inFlight.includes(processId),
    rules: {
      areUsed: () => areUsed,
      keepApart: async () => true,
      apply: async () => write('at once'),
      applyBehind: () => write('behind'),
    },
  })
  return { keeper, places, written }
}

test('of an app whose processes all share a network no rule is written', async () => {
  const { keeper, written } = openKeeper()
  await keeper.place(owner, copy('PONE', '10.213.0.2', null), control)
  await keeper.see(owner, [found(copy('PTWO', '10.213.0.3', null))])
  keeper.leave(owner, 'PTWO')
  assert.deepEqual(written, [])
})

test('a copy that is kept apart is in the rules before it starts, and out of them when it has gone', async () => {
  const { keeper, written } = openKeeper()
  await keeper.place(owner, copy('POLD', '10.213.0.2', null), control)
  await keeper.place(owner, copy('PNEW', '10.213.0.3', ['front']), control)
  keeper.leave(owner, 'POLD')
  keeper.leave(owner, 'PNEW')
  assert.deepEqual(written, ['at once: POLD,PNEW', 'behind: PNEW', 'behind: '])
})

test('what somebody has removed by hand is forgotten, what is being made is not', async () => {
  const { keeper, places, written } = openKeeper(['PMADE'])
  const [one, gone, made] = [
    copy('PONE', '10.213.0.2', ['front']),
    copy('PGONE', '10.213.0.3', null),
    copy('PMADE', '10.213.0.4', ['front']),
  ]
  for (const each of [one, gone, made]) await keeper.place(owner, each, control)
  written.length = 0
  await keeper.see(owner, [found(one)])
  assert.deepEqual(written, ['behind: PONE,PMADE'])
  await keeper.see(owner, [found(one)])
  assert.equal(written.length, 1, 'nothing is new')
  assert.deepEqual(
    places.of('shop').map((each) => each.networks),
    [['front'], ['front']],
  )
})

test('a machine that takes no rules keeps nobody apart', async () => {
  const { keeper, places, written } = openKeeper([], false)
  await keeper.place(owner, copy('PONE', '10.213.0.2', ['front']), control)
  await keeper.see(owner, [found(copy('PONE', '10.213.0.2', ['front']))])
  assert.deepEqual([await keeper.keepsApart(control), places.of('shop'), written], [false, [], []])
})
