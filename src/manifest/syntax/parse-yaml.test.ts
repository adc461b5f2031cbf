import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSpec } from '../../../test/support/build-spec.ts'
import { readCompose } from '../../../test/support/compose.ts'

function problemsOf(text: string): string[] {
  return readCompose(text).problems
}

const web = 'services:\n  web:\n    image: nginx\n'

test('a file that is not one says so in plain words', () => {
  const table: [text: string, problem: RegExp][] = [
    ['', /^1:1: error: the file is empty/],
    ['# nothing\n', /^1:1: error: the file is empty/],
    ['null\n', /^1:1: error: the file is empty/],
    ['- a\n', /^1:1: error: the file must be a mapping, but is a list/],
    ['hello', /^1:1: error: the file must be a mapping, but is text/],
    ['services:\n\tweb:\n', /^2:1: error: a tab stands where only spaces may/],
    ['services: "x\n', /^1:11: error: a quote is opened here and never closed/],
    ["services:\n  web: { command: ['x, 1] }\n  db: {}\n", /^2:20: error: a quote is opened here[^\n]*$/],
    ['services:\n  web\n    image: x\n', /^2:3: error: a `:` is missing after a key/],
    ['services:\n  web:\n    image: nginx: latest\n', /^3:12: error: a value holds a `:`.*; quote the value/],
    ['services:\n  web:\n    image: @x\n', /^3:12: error: a value cannot start with this.*; quote the value/],
    ['services:\n  web:\n    image: "x" y\n', /^3:16: error: this does not belong to the value before it/],
    ['services:\n  web:\n    image: x\n    port\n', /^4:5: error: a `:` is missing after a key/],
    ['services:\n  web:\n    ports: - 80\n', /^3:12: error: a list cannot start on the line of its key/],
    ['services: \uFFFD\n', /^1:11: error: the file is not UTF-8/],
    [`${web}---\nservices: {}\n`, /^4:1: error: the file holds more than one document/],
    [`#${'x'.repeat(1024 * 1024)}`, /^1:1: error: the file is larger than 1024 KiB/],
    ['services: {}\n', /^1:11: error: services: `services` names no process/],
    ['services: null\n', /^1:11: error: services: `services` names no process/],
    ['services: [a]\n', /^1:11: error: services: `services` must be a mapping/],
    ['servics:\n  web: {image: x}\n', /^1:1: error: servics: unknown key "servics".*did you mean "services"/],
    ['volumes: {a: {}}\n', /^1:1: error: the file has no `services`/],
    ['version: "4"\nservices: {web: {image: x}}\n', /^1:10: error: version: "4" is not a version/],
    ['services: {web: {image: x}\n', /a `}` is missing above, .*; write the `}`/],
    ['['.repeat(3000), /too deeply/],
    [`services: ${'['.repeat(100)}${']'.repeat(100)}`, /too deeply/],
  ]
  for (const [text, pattern] of table) assert.match(problemsOf(text).join('\n'), pattern, text.slice(0, 60))
})

test('duplicate keys are all reported', () => {
  assert.deepEqual(problemsOf(`${web}    image: redis\n  web:\n    image: x\n`), [
    '4:5: error: services.web.image: the key "image" is given twice; keep one of them',
    '5:3: error: services.web: the key "web" is given twice; keep one of them',
  ])
})

test('a byte order mark and line ends of Windows are fine', () => {
  const { processes, problems } = readCompose(`\uFEFF${web.replaceAll('\n', '\r\n')}    user: app\r\n`)
  assert.deepEqual([processes[0]?.user, problems], ['app', []])
})

test('anchors and merge keys: own keys win, then the earlier of a list; positions stay where it is written', () => {
  const text = `x-one: &one { user: one, init: true }
x-two: &two { user: two, working_dir: /two, oops: 1 }
services:
  web:
    <<: [*one, *two]
    image: nginx
    init: false
`
  const [problem, ...more] = problemsOf(text)
  assert.match(problem ?? '', /^2:45: error: services.web.oops: unknown key "oops"; remove it; .* `x-`$/)
  assert.deepEqual(more, [])
  const [type] = readCompose(text.replace(', oops: 1', '')).processes
  assert.deepEqual([type?.user, type?.workingDir, type?.init], ['one', '/two', false])
})

test('a bad alias is an error, a bomb of them too', () => {
  assert.match(problemsOf(`${web}    labels: *no\n`)[0] ?? '', /^4:13: error: the alias \*no names no anchor/)
  assert.match(
    problemsOf(`services: &s\n  web: *s\n`)[0] ?? '',
    /^2:8: error: the alias \*s stands inside its own anchor/,
  )
  const levels = Array.from(
    { length: 20 },
    (_, index) => `x-${index + 1}: &a${index + 1} [${'*a0,'.replace('0', String(index)).repeat(9)}]\n`,
  )
  const bomb = `x-0: &a0 [1]\n${levels.join('')}${web}`
  assert.match(problemsOf(bomb).join('\n'), /expand to too many values/)
})

test('a tag that nobody knows is passed over, with a warning', () => {
  const text = `${web}    user: !rset null\n    labels: !Thing { a: "1" }\n    command: !!str 5\n`
  assert.deepEqual(problemsOf(text), [
    '4:17: warning: services.web.user: the tag !rset means nothing here; did you mean "!reset"?',
    '5:20: warning: services.web.labels: the tag !Thing means nothing here; remove it',
  ])
})

test('version 1 has every process at the top', () => {
  const { processes, volumes, problems } = readCompose(
    'web:\n  build: ./app\n  dockerfile: prod.Dockerfile\n  links: [db]\ndb:\n  image: postgres\n  volumes: ["data:/var/lib"]\n',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes.map(({ name }) => name),
    ['web', 'db'],
  )
  assert.deepEqual(processes[0]?.build, buildSpec({ context: 'app', dockerfile: 'prod.Dockerfile' }))
  assert.deepEqual(volumes, ['data'])
  assert.deepEqual(readCompose('version: "1"\nx-any: [thing]\nweb: {image: x}\n').problems, [])
  const mixed = readCompose('web: {image: x}\nvolumes: {a: }\n').problems
  assert.match(
    mixed[0] ?? '',
    /^1:1: error: web: unknown key "web", and the file has no `services`; write the processes under/,
  )
})
