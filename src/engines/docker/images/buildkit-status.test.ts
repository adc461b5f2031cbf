import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../../domain/error.ts'
import { decodeStatus } from './buildkit-status.ts'

/** As Docker Engine 20.10 sent it of `RUN echo höre; echo err >&2; sleep 0.1; exit 3`. */
const failedStep =
  'CsQCCkdzaGEyNTY6MmEyYmZhZTZmMDA5NmY3NTVmMWQ5NTBhYmY5NzExNWEzYTM5N2Q2MGJmZDkwZjcyN2Q5MWI2YmUxY2M4ZTljZRJHc2hhMjU2' +
  'Ojc2YjdjYTc1YjI2NzVhMmY4NThlNGVjNzI5NTBkNDRiNWE5ODQzODgwNjFkY2Q2OWI1ZWZmMGYxMzExM2FhZDgaNVsyLzJdIFJVTiBlY2hvIGjD' +
  'tnJlOyBlY2hvIGVyciA+JjI7IHNsZWVwIDAuMTsgZXhpdCAzKgwIoZmt2AYQj4TizgMyCwiima3YBhCbop94Ol5leGVjdXRvciBmYWlsZWQgcnVu' +
  'bmluZyBbL2Jpbi9zaCAtYyBlY2hvIGjDtnJlOyBlY2hvIGVyciA+JjI7IHNsZWVwIDAuMTsgZXhpdCAzXTogZXhpdCBjb2RlOiAz'

const printed =
  'GmAKR3NoYTI1NjoyYTJiZmFlNmYwMDk2Zjc1NWYxZDk1MGFiZjk3MTE1YTNhMzk3ZDYwYmZkOTBmNzI3ZDkxYjZiZTFjYzhlOWNlEgsIopmt2AYQ' +
  '4L7WRBgBIgZow7ZyZQoaXgpHc2hhMjU2OjJhMmJmYWU2ZjAwOTZmNzU1ZjFkOTUwYWJmOTcxMTVhM2EzOTdkNjBiZmQ5MGY3MjdkOTFiNmJlMWNj' +
  'OGU5Y2USCwiima3YBhDbvtZEGAIiBGVycgo='

const digest = 'sha256:2a2bfae6f0096f755f1d950abf97115a3a397d60bfd90f727d91b6be1cc8e9ce'

test('a step that failed is read from what an engine sent', () => {
  const command = 'echo höre; echo err >&2; sleep 0.1; exit 3'
  assert.deepEqual(decodeStatus(failedStep), {
    vertexes: [
      {
        digest,
        name: `[2/2] RUN ${command}`,
        cached: false,
        startedMs: 1_795_902_625_970.4905,
        completedMs: 1_795_902_626_252.1704,
        error: `executor failed running [/bin/sh -c ${command}]: exit code: 3`,
      },
    ],
    logs: [],
    warnings: [],
  })
})

test('its output comes with the stream that it was printed to', () => {
  const { logs } = decodeStatus(printed)
  assert.deepEqual(
    logs.map(({ vertex, stream, text }) => [vertex, stream, Buffer.from(text).toString()]),
    [
      [digest, 1, 'höre\n'],
      [digest, 2, 'err\n'],
    ],
  )
})

test('a step that is cached and has not begun, and a warning', () => {
  const message = Buffer.from('0a0620010a02613a2209100118011a036f6c64', 'hex')
  const { vertexes, warnings } = decodeStatus(message.toString('base64'))
  const [vertex] = vertexes
  assert.deepEqual(
    [vertex?.cached, vertex?.digest, vertex?.startedMs, vertex?.completedMs],
    [true, 'a:', null, null],
  )
  assert.deepEqual(warnings, [{ short: 'old' }])
})

test("what is no such message is the engine's failure, and is said", () => {
  const isSaid = (error: unknown) => error instanceof RackError && error.code === 'engine-failed'
  assert.throws(() => decodeStatus(Buffer.from('0aff', 'hex').toString('base64')), isSaid)
})
