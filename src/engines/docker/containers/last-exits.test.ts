import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLastExits } from './last-exits.ts'

/** What is known of a container after these events: `die 137`, `oom`, `start`, `destroy`. */
function exitsAfter(events: string[]) {
  const exits = createLastExits()
  for (const [timeNano, event] of events.entries()) {
    const [action = '', exitCode] = event.split(' ')
    exits.note({ action, container: 'c', exitCode, timeNano })
  }
  return exits
}

const after = (...events: string[]) => exitsAfter(events).of('c')

test('how a container ended is known while it runs again', () => {
  assert.equal(after('start'), null)
  assert.deepEqual(after('start', 'die 3', 'start'), { code: 3, isOutOfMemory: false })
  assert.deepEqual(after('start', 'die 3', 'start', 'die 4', 'start'), { code: 4, isOutOfMemory: false })
  assert.equal(after('start', 'die 3', 'destroy'), null)
})

test('want of memory is told before the end or after it, and once', () => {
  const lacking = { code: 137, isOutOfMemory: true }
  assert.deepEqual(after('start', 'oom', 'die 137', 'start'), lacking)
  assert.deepEqual(after('start', 'die 137', 'oom', 'start'), lacking)
  assert.equal(after('oom', 'die 137', 'start', 'die 137')?.isOutOfMemory, false)
  assert.equal(after('oom', 'die 1')?.isOutOfMemory, false, 'a child was killed')
})

test('ends for want of memory are counted, each once, also where its events come again', () => {
  const events = [
    'start',
    'oom',
    'die 137',
    'start',
    'die 3',
    'start',
    'oom',
    'oom',
    'die 137',
    'oom',
    'start',
  ]
  const exits = exitsAfter(events)
  assert.equal(exits.outOfMemory('c'), null, 'there may be earlier ones')
  exits.learned()
  assert.equal(exits.outOfMemory('c'), 2)
  for (const [timeNano, event] of events.entries()) {
    const [action = '', exitCode] = event.split(' ')
    exits.note({ action, container: 'c', exitCode, timeNano })
  }
  assert.equal(exits.outOfMemory('c'), 2)
  exits.note({ action: 'destroy', container: 'c', timeNano: 99 })
  assert.equal(exits.outOfMemory('c'), 0)
})
