import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leadsNowhere, movedTo, withCopy, withEarly, withoutCopies, type NamedCopy } from './leading.ts'
import type { PlacedCopy } from './placed.ts'
import { virtualNames, type Condition } from './virtual-names.ts'

const subnet = '10.213.0.0/24'
const web: NamedCopy = { process: 'PWEB', type: 'web', address: '10.213.0.2' }
const one: NamedCopy = { process: 'PONE', type: 'api', address: '10.213.0.3' }
const two: NamedCopy = { process: 'PTWO', type: 'api', address: '10.213.0.4' }

const namesOf = (
  leading: typeof leadsNowhere,
  conditions: Record<string, Condition> = {},
  nowMs = 0,
  placed: PlacedCopy[] = [],
) =>
  virtualNames(
    leading,
    { subnet, placed },
    {
      addressOf: (type) => `198.18.0.${type.length}`,
      conditionOf: (processId) => conditions[processId] ?? 'up',
      nowMs,
    },
  )

const both = [one, two].reduce(withCopy, leadsNowhere)
const copiesMet = (conditions: Record<string, Condition>) =>
  namesOf(both, conditions)[0]?.leads[0]?.copies ?? []

test('a name leads from the subnet of its app to all copies of its type that are up', () => {
  assert.deepEqual(namesOf(both), [
    {
      address: '198.18.0.3',
      leads: [{ sources: [subnet], copies: [one.address, two.address] }],
      isHeld: false,
    },
  ])
  assert.deepEqual(copiesMet({ PONE: 'down' }), [two.address])
})

test('a copy that is not well is met where there is no other, and one that is down never', () => {
  assert.deepEqual(copiesMet({ PONE: 'unwell' }), [two.address])
  assert.deepEqual(copiesMet({ PONE: 'unwell', PTWO: 'down' }), [one.address])
  assert.deepEqual(copiesMet({ PONE: 'down', PTWO: 'down' }), [])
})

test('a caller that meets what is new goes before the rest of its subnet', () => {
  const leading = withEarly(withCopy(leadsNowhere, one), web, [two])
  assert.deepEqual(namesOf(leading)[0]?.leads, [
    { sources: [web.address], copies: [two.address] },
    { sources: [subnet], copies: [one.address] },
  ])
  const without = withoutCopies(leading, ['PWEB'], 0, 0)
  assert.deepEqual(namesOf(without)[0]?.leads, [{ sources: [subnet], copies: [one.address] }])
})

test('callers of a type without a copy wait as long as they may, while one is due', () => {
  const isHeld = (leading: typeof leadsNowhere, nowMs: number) =>
    namesOf(leading, {}, nowMs)[0]?.isHeld ?? false
  const gone = withoutCopies(both, ['PONE', 'PTWO'], 30_000, 1000)
  assert.deepEqual([isHeld(gone, 30_999), isHeld(gone, 31_000)], [true, false])
  assert.deepEqual(namesOf(gone)[0]?.leads, [])
  assert.equal(isHeld(withoutCopies(both, ['PONE', 'PTWO'], 0, 1000), 1000), false, 'none is due')
  assert.equal(isHeld(withoutCopies(both, ['PONE'], 30_000, 1000), 1000), false, 'another serves')
})

test('where networks keep callers apart, a name leads to copies that share one with the caller', () => {
  const placed = (copy: NamedCopy, networks: string[] | null, isCopy = true): PlacedCopy => ({
    ...copy,
    networks,
    isEnclosed: false,
    isCopy,
  })
  const db: NamedCopy = { process: 'PDB', type: 'db', address: '10.213.0.5' }
  const oneOff: NamedCopy = { process: 'PRUN', type: 'db', address: '10.213.0.6' }
  const all = [
    placed(web, ['front']),
    placed(one, ['back', 'front']),
    placed(two, ['back', 'front']),
    placed(db, ['back']),
    placed(oneOff, ['back'], false),
  ]
  const leading = [web, one, two, db].reduce(withCopy, leadsNowhere)
  const leads = new Map(namesOf(leading, {}, 0, all).map((name) => [name.address, name.leads]))
  const apis = [one.address, two.address]
  assert.deepEqual(leads.get('198.18.0.2'), [
    { sources: apis, copies: [db.address] },
    { sources: [db.address, oneOff.address], copies: [db.address] },
  ])
  assert.deepEqual(
    leads.get('198.18.0.3')?.map(({ sources, copies }) => [sources, copies]),
    [
      [[web.address], apis],
      [apis, apis],
      [[db.address, oneOff.address], apis],
    ],
  )
})

test('a name that nobody new has leads where it led', () => {
  const next: NamedCopy = { process: 'PNEXT', type: 'web', address: '10.213.0.9' }
  const leading = movedTo(withCopy(both, web), [next])
  assert.deepEqual(leading.copies, [next, one, two])
})
