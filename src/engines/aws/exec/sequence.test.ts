import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSequence, createUnacknowledged } from './sequence.ts'
import type { Frame } from './frame.ts'

const frameOf = (sequence: number): Frame => ({
  type: 'output_stream_data',
  createdMs: 0,
  sequence,
  flags: 0,
  id: '00112233-4455-6677-8899-aabbccddeeff',
  payloadType: 1,
  payload: Buffer.from(String(sequence)),
})

test('messages are given in order, each once', () => {
  const sequence = createSequence()
  const given = [0, 2, 2, 1, 0, 5000, 3].flatMap((number) => sequence.take(frameOf(number)))
  assert.deepEqual(
    given.map((frame) => frame.sequence),
    [0, 1, 2, 3],
  )
})

test('what is not acknowledged is sent again after a while, until it is', () => {
  const sent = createUnacknowledged()
  sent.add(0, Buffer.from('a'), 0)
  sent.add(1, Buffer.from('b'), 50)
  assert.deepEqual(sent.due(100, 100).map(String), ['a'])
  assert.deepEqual(sent.due(150, 100).map(String), ['b'])
  sent.acknowledge(0)
  sent.acknowledge(9)
  assert.deepEqual(sent.due(300, 100).map(String), ['b'])
  assert.equal(sent.count(), 1)
})
