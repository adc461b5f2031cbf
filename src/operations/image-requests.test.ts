import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../test/support/compose.ts'
import { imageRequests } from './image-requests.ts'
import { noContent } from './source-content.ts'

function requestsOf(lines: string): [processes: string[], context: string | null, image: string | null][] {
  const { processes, problems } = readCompose(`services:\n${lines}`)
  assert.deepEqual(problems, [])
  return imageRequests({ processes }, noContent).map(({ processes: names, build, image }) => [
    names,
    build?.context ?? null,
    image,
  ])
}

test('what is made the same way is made once', () => {
  const lines =
    '  a: { image: x }\n  b: { image: x }\n  c: { build: . }\n  d: { build: . }\n  e: { build: e }\n'
  assert.deepEqual(requestsOf(lines), [
    [['a', 'b'], null, 'x'],
    [['c', 'd'], '.', null],
    [['e'], 'e', null],
  ])
})

test('a name beside a build is asked of no registry, and is given to no engine', () => {
  const lines =
    '  first: { image: node:24-slim }\n  web: { build: ., image: node:24-slim }\n  other: { image: node:24 }\n'
  assert.deepEqual(requestsOf(lines), [
    [['first', 'web'], '.', null],
    [['other'], null, 'node:24'],
  ])
})

test('a name is the same however it is written', () => {
  const lines =
    '  web: { build: ., image: shop }\n  worker: { image: "shop:latest" }\n  job: { image: docker.io/library/shop }\n  other: { image: "shop:2" }\n'
  assert.deepEqual(requestsOf(lines), [
    [['web', 'worker', 'job'], '.', null],
    [['other'], null, 'shop:2'],
  ])
})

test('one build is one image, whatever names the file gives it', () => {
  assert.deepEqual(
    requestsOf('  a: { build: ., image: a }\n  b: { build: ., image: b }\n  c: { image: b }\n'),
    [[['a', 'b', 'c'], '.', null]],
  )
})
