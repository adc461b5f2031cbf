import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placedService } from './placed.ts'
import { createPlaces } from './places.ts'

const subnet = '10.213.0.0/24'
const copy = (processId: string, address: string, networks: string[] | null = null) => {
  return { process: processId, type: 'web', address, networks, isEnclosed: false, isCopy: true }
}

test('an address has one holder, and what was there before it is forgotten', () => {
  const places = createPlaces()
  places.put('shop', subnet, copy('POLD', '10.213.0.2'))
  places.put('shop', subnet, copy('PNEW', '10.213.0.2', ['front']))
  assert.deepEqual(
    places.of('shop').map((one) => one.process),
    ['PNEW'],
  )
  assert.equal(places.areSeparated('shop'), true)
})

test('a subnet has one owner, and what the one before had is forgotten', () => {
  const places = createPlaces()
  places.put('shop', subnet, copy('POLD', '10.213.0.2', ['front']))
  places.put('blog', subnet, copy('PNEW', '10.213.0.3'))
  assert.deepEqual([places.of('shop'), places.separations()], [[], []])
})

test('a service among what is placed answers only', () => {
  const places = createPlaces()
  places.put('shop', subnet, copy('PONE', '10.213.0.2'))
  places.put('shop', subnet, placedService('_main', '10.213.0.3'))
  assert.deepEqual([places.answering(), places.separations()], [['10.213.0.3'], []])
  places.drop('shop', '_main')
  assert.deepEqual(places.answering(), [])
})

test('each app has rules of its own, as long as something of it is there', () => {
  const places = createPlaces()
  places.put('shop', subnet, copy('PONE', '10.213.0.2', ['front']))
  places.put('blog', '10.213.1.0/24', copy('PTWO', '10.213.1.2'))
  assert.deepEqual(
    places.separations().map((one) => one.subnet),
    [subnet],
  )
  places.drop('shop', 'PONE')
  assert.deepEqual(places.separations(), [])
  assert.equal(places.of('blog').length, 1)
})
