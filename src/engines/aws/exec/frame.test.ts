import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { acknowledgementOf, decodeFrame, encodeFrame, type Frame } from './frame.ts'

const frame: Frame = {
  type: 'input_stream_data',
  createdMs: 1_700_000_000_000,
  sequence: 7,
  flags: 0,
  id: '00112233-4455-6677-8899-aabbccddeeff',
  payloadType: 1,
  payload: Buffer.from('hello'),
}

test('a message has the layout that the agent reads', () => {
  const bytes = encodeFrame(frame)
  assert.equal(bytes.length, 120 + 5)
  assert.equal(bytes.readUInt32BE(0), 116)
  assert.equal(bytes.toString('latin1', 4, 36), 'input_stream_data'.padEnd(32))
  assert.equal(bytes.readUInt32BE(36), 1)
  assert.equal(bytes.readBigUInt64BE(40), 1_700_000_000_000n)
  assert.equal(bytes.readBigInt64BE(48), 7n)
  assert.equal(bytes.toString('hex', 64, 80), '8899aabbccddeeff0011223344556677')
  assert.ok(bytes.subarray(80, 112).equals(createHash('sha256').update('hello').digest()))
  assert.deepEqual([bytes.readUInt32BE(112), bytes.readUInt32BE(116)], [1, 5])
  assert.equal(bytes.toString('latin1', 120), 'hello')
})

test('what was written is read again; a longer header too', () => {
  const bytes = encodeFrame(frame)
  assert.deepEqual(decodeFrame(bytes), frame)
  const longer = Buffer.concat([bytes.subarray(0, 116), Buffer.alloc(8), bytes.subarray(116)])
  longer.writeUInt32BE(124, 0)
  assert.deepEqual(decodeFrame(longer)?.payload, frame.payload)
  const empty = { ...frame, payload: Buffer.alloc(0) }
  assert.deepEqual(decodeFrame(encodeFrame(empty)), empty)
})

test('what is damaged or no whole message is none', () => {
  const bytes = encodeFrame(frame)
  const changed = Buffer.from(bytes)
  changed[121]! ^= 1
  for (const bad of [changed, bytes.subarray(0, 124), bytes.subarray(0, 60), Buffer.alloc(130)]) {
    assert.equal(decodeFrame(bad), null)
  }
})

test('an acknowledgement names what has come', () => {
  const said = acknowledgementOf({ ...frame, type: 'output_stream_data' })
  assert.deepEqual(JSON.parse(said.payload.toString()), {
    AcknowledgedMessageType: 'output_stream_data',
    AcknowledgedMessageId: frame.id,
    AcknowledgedMessageSequenceNumber: 7,
    IsSequentialMessage: true,
  })
  assert.deepEqual([said.type, said.sequence, said.flags], ['acknowledge', 0, 3])
})
