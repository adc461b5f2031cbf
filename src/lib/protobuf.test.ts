import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesAt, numberAt, readFields, textAt } from './protobuf.ts'

/** As the encoding's own guide writes them. */
const guide = {
  'a number': { hex: '089601', read: (message: Uint8Array) => numberAt(readFields(message), 1), is: 150 },
  'a text': { hex: '120774657374696e67', read: (m: Uint8Array) => textAt(readFields(m), 2), is: 'testing' },
  'minus two': {
    hex: '08feffffffffffffffff01',
    read: (m: Uint8Array) => numberAt(readFields(m), 1),
    is: -2,
  },
}

for (const [name, { hex, read, is }] of Object.entries(guide)) {
  test(`${name} is read`, () => assert.equal(read(Buffer.from(hex, 'hex')), is))
}

test('numbers of fixed length are skipped over and read', () => {
  const fields = readFields(Buffer.from('0dfeffffff1103000000000000001801', 'hex'))
  assert.deepEqual([numberAt(fields, 1), numberAt(fields, 2), numberAt(fields, 3)], [-2, 3, 1])
})

test('a field that is not there is 0, empty, none; of one that came twice the last counts', () => {
  const fields = readFields(Buffer.from('08010802', 'hex'))
  assert.deepEqual([numberAt(fields, 9), textAt(fields, 9), bytesAt(fields, 9)], [0, '', []])
  assert.equal(numberAt(fields, 1), 2)
})

test('what was written is read again, whatever its numbers and texts', () => {
  const number = fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 28 - 1 }), number, fc.string(), (field, value, text) => {
      const bytes = Buffer.from(text)
      const fields = readFields(
        Buffer.from([
          ...varint(BigInt(field * 8)),
          ...varint(BigInt.asUintN(64, value)),
          ...varint(BigInt(field * 8 + 2)),
          ...varint(BigInt(bytes.length)),
          ...bytes,
        ]),
      )
      assert.equal(fields.get(field)?.[0], Number(value))
      assert.equal(textAt(fields, field), bytes.toString())
    }),
  )
})

test('what is cut off or no message at all is an error, never a loop or a guess', () => {
  for (const hex of ['08', '0a05', '0a056162', '0b', '08' + 'ff'.repeat(11), '0affffffffffffffffff01']) {
    assert.throws(() => readFields(Buffer.from(hex, 'hex')), RangeError, hex)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readFields(bytes)
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }),
  )
})

function varint(value: bigint): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)]
    bytes.push(Number(rest & 0x7fn) | 0x80)
  }
}
