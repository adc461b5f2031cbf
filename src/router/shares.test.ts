import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionsFor, sharesOf } from './shares.ts'

test('as many connections as the limit of open files allows, and no more than memory is good for', () => {
  assert.equal(connectionsFor(20_000), 7576)
  assert.equal(connectionsFor(1024), 278)
  assert.equal(connectionsFor(524_288), 20_000)
  assert.equal(connectionsFor(Infinity), 20_000)
  assert.equal(connectionsFor(256), 64)
})

test('nobody has all, two that have their share leave something, and everybody has something', () => {
  for (const connections of [64, 240, 7576, 20_000]) {
    const { app, copy, source, sourceAtApp, crowded, smallApp, smallSource } = sharesOf(connections)
    assert.ok(copy < app && sourceAtApp < app && sourceAtApp < source)
    assert.ok(app < crowded && crowded < connections)
    assert.ok(smallApp >= 1 && smallSource >= 1)
    // What is kept is enough for some small ones.
    assert.ok(connections - crowded >= 4 * smallApp)
  }
})
