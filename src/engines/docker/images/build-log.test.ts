import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBuildLog } from './build-log.ts'
import type { BuildKitStatus, Vertex } from './buildkit-status.ts'

function vertex(digest: string, overrides: Partial<Vertex>): Vertex {
  return { digest, name: '', cached: false, startedMs: 1000, completedMs: null, error: '', ...overrides }
}

function status(overrides: Partial<BuildKitStatus>): BuildKitStatus {
  return { vertexes: [], logs: [], warnings: [], ...overrides }
}

const output = (digest: string, text: string, stream = 1) => ({
  vertex: digest,
  stream,
  text: Buffer.from(text),
})

test('a step is told once when it begins, then its output, then how long it took', () => {
  const log = createBuildLog()
  const name = '[build 2/5] RUN make     all'
  const begun = status({ vertexes: [vertex('a', { name })] })
  assert.deepEqual(log.push(begun), ['[build 2/5] RUN make all'])
  assert.deepEqual(log.push(begun), [])
  const mixed = status({ logs: [output('a', 'one\ntw'), output('a', 'warn\n', 2)] })
  assert.deepEqual(log.push(mixed), ['one', 'warn'])
  const ended = status({
    vertexes: [vertex('a', { name, completedMs: 3456 })],
    logs: [output('a', 'o\n10%\r100%')],
  })
  assert.deepEqual(log.push(ended), ['two', '100%', '[build 2/5] DONE 2.5s'])
  assert.deepEqual(log.push(status({ vertexes: [vertex('a', { name, completedMs: 3456 })] })), [])
  assert.equal(log.failed(), null)
})

test('a cached step is one line; the inner steps of BuildKit are none; warnings are said', () => {
  const log = createBuildLog()
  const lines = log.push(
    status({
      vertexes: [
        vertex('a', { name: '[internal] load remote build context', completedMs: 1100 }),
        vertex('b', { name: 'copy /context /', completedMs: 1100 }),
        vertex('c', { name: '[2/3] COPY a /', cached: true, completedMs: 1000 }),
        vertex('d', { name: '[3/3] RUN true', startedMs: null }),
      ],
      warnings: [{ short: 'old syntax' }],
    }),
  )
  assert.deepEqual(lines, ['[2/3] COPY a / CACHED', 'WARNING old syntax'])
})

test('a failed step keeps its last twenty lines, half a line included', () => {
  const log = createBuildLog()
  const name = '[2/2] RUN false'
  const written = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n')
  log.push(status({ vertexes: [vertex('a', { name })], logs: [output('a', written)] }))
  const error = 'process "/bin/sh -c false" did not complete successfully: exit code: 1'
  const lines = log.push(status({ vertexes: [vertex('a', { name, completedMs: 2000, error })] }))
  assert.deepEqual(lines, ['line 29', `[2/2] ERROR ${error}`])
  const failed = log.failed()
  assert.equal(failed?.step, name)
  assert.deepEqual([failed?.tail.length, failed?.tail[0], failed?.tail.at(-1)], [20, 'line 10', 'line 29'])
})
