import assert from 'node:assert/strict'
import { test } from 'node:test'
import { didYouMean, nearest } from './nearest.ts'

test('finds the name that was meant, swapped letters included', () => {
  assert.equal(nearest('enviroment', ['expose', 'environment']), 'environment')
  assert.equal(nearest('lniks', ['links', 'labels']), 'links')
  assert.equal(nearest('Image', ['image']), 'image')
  assert.equal(nearest('zzz', ['image', 'ports']), undefined)
  assert.equal(nearest('x'.repeat(41), ['x'.repeat(40)]), undefined)
})

test('falls back to other advice', () => {
  assert.equal(didYouMean('prots', ['ports']), 'did you mean "ports"?')
  assert.equal(didYouMean('zzz', ['ports'], 'look it up'), 'look it up')
})
