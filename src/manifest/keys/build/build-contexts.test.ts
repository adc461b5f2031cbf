import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../../test/support/compose.ts'
import { filesOf } from '../../files.ts'

const read = (contexts: string, more = '') =>
  readCompose(
    `services:\n  web:\n    build: { additional_contexts: ${contexts} }\n  db: { image: x }\n${more}`,
  )

test('further contexts are folders, images and processes, in both syntaxes', () => {
  const table: [contexts: string, found: object[]][] = [
    [
      '{ lib: ./libs/../lib, all: . }',
      [
        { name: 'lib', folder: 'lib' },
        { name: 'all', folder: '.' },
      ],
    ],
    ['["base=docker-image://alpine:3"]', [{ name: 'base', image: 'alpine:3' }]],
    ['{ base: "service:db" }', [{ name: 'base', process: 'db' }]],
    ['[]', []],
  ]
  for (const [contexts, found] of table) {
    const { processes, problems } = read(contexts)
    assert.deepEqual(problems, [], contexts)
    assert.deepEqual(processes[0]?.build?.contexts, found)
  }
})

test('what cannot be a context is refused', () => {
  const table: [contexts: string, problem: RegExp][] = [
    ['{ lib: ../lib }', /3:37: error: .*the context "lib" lies outside of the source directory/],
    ['{ "alpine:3": ./x }', /the context "alpine:3" cannot be named so/],
    ['{ lib: }', /the context "lib" leads nowhere/],
    ['{ lib: "docker-image://A B" }', /the context "lib" is no name of an image/],
    ['{ lib: "https://example.com/x.git" }', /the context "lib" is no folder, image or process/],
    ['{ lib: "oci-layout://x" }', /the context "lib" is no folder, image or process/],
    ['{ lib: "service:bd" }', /there is no process "bd"; did you mean "db"/],
    ['{ lib: "service:web" }', /no build of this cycle can be first: web → web/],
  ]
  for (const [contexts, pattern] of table) assert.match(read(contexts).problems.join('\n'), pattern, contexts)
  const more = '  lib: { build: { additional_contexts: { up: "service:web" } } }\n'
  const cycle = read('{ lib: "service:lib" }', more).problems
  assert.equal(cycle.length, 2)
  assert.match(
    cycle[0] ?? '',
    /no build of this cycle can be first: web → lib → web; remove the context "lib"/,
  )
})

test('a folder is sent by its own rules', () => {
  const text =
    'services: { web: { build: { context: web, additional_contexts: { lib: ./lib, web: ./web } } } }\n'
  const files = filesOf({ files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }, {})
  assert.deepEqual(files.contexts, [
    { context: 'web', dockerfile: 'Dockerfile' },
    { context: 'lib', dockerfile: 'Dockerfile' },
  ])
})
