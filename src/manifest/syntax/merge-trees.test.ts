import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSpec } from '../../../test/support/build-spec.ts'
import { readCompose } from '../../../test/support/compose.ts'

const base = `services:
  web:
    image: nginx
    build: .
    command: one
    environment: [A=1, B=2]
    ports: ["80:5000", "81:5001"]
    volumes: ["data:/data", "data:/old"]
    depends_on: [redis]
    labels: { a: "1" }
    env_file: one.env
  redis:
    image: redis
volumes: { data: , more: }
`

function merged(over: string) {
  const files = [
    { path: 'a.yml', text: base },
    { path: 'b.yml', text: over },
  ]
  const { processes, problems } = readCompose(
    '',
    {},
    { files, texts: { 'one.env': 'E=1', 'two.env': 'E=2' } },
  )
  return { web: processes[0]!, problems, names: processes.map(({ name }) => name) }
}

test('a later file is laid over an earlier one: mappings deeply, lists by what they name', () => {
  const { web, names, problems } = merged(`services:
  web:
    build: { target: prod }
    command: two
    environment: { B: 3, C: 4 }
    ports: ["82:5000", "80:5000"]
    volumes: ["more:/data"]
    depends_on: { redis: { condition: service_healthy } }
    labels: [b=2]
    env_file: two.env
  worker:
    image: nginx
`)
  assert.deepEqual(problems, [])
  assert.deepEqual(names, ['web', 'redis', 'worker'])
  assert.deepEqual(web.build, buildSpec({ target: 'prod' }))
  assert.deepEqual(web.command, ['two'])
  assert.deepEqual(
    web.environment.map(({ name, value }) => `${name}=${value}`),
    ['A=1', 'B=3', 'C=4', 'E=2'],
  )
  assert.deepEqual(
    web.ports.map(({ external }) => external),
    [80, 81, 82],
  )
  assert.deepEqual(
    web.mounts.map((mount) => `${mount.kind === 'volume' ? mount.volume : mount.kind}:${mount.path}`),
    ['more:/data', 'data:/old'],
  )
  assert.deepEqual(web.dependsOn, [{ target: 'redis', condition: 'healthy', restart: false }])
  assert.deepEqual(web.labels, { a: '1', b: '2' })
})

test('!reset takes away, !override replaces', () => {
  const { web, problems } = merged(`services:
  web:
    command: !reset null
    depends_on: !reset []
    ports: !override ["90:5000"]
`)
  assert.deepEqual(problems, [])
  assert.equal(web.command, null)
  assert.deepEqual(web.dependsOn, [])
  assert.deepEqual(
    web.ports.map(({ external }) => external),
    [90],
  )
})

test('problems name the file that they are in', () => {
  const { problems } = merged('services:\n  web:\n    ports: ["0:1"]\n    imag: x\n')
  assert.deepEqual(problems, [
    'b.yml:3:13: error: services.web.ports[0]: "0:1" is not a port from 1 to 65535',
    'b.yml:4:5: error: services.web.imag: unknown key "imag"; did you mean "image"?',
  ])
})
