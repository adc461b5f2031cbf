import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { installRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

interface Plan {
  obstacles: { code: string; message: string }[]
}

/** A process with a volume, whose release command leaves a trace in it. */
const compose = (ports: string) => `services:
  web:
    image: busybox:1
    init: true
    command: httpd -f -p 8080 -h /data
    ports: [${ports}]
    volumes: ["data:/data"]
    labels: { rack.release.command: "date >> /data/index.html" }
volumes: { data: {} }
`

test('a port that another has is refused before a command runs and before anything stops', async (t) => {
  await using rack = await installRack(['--cpu', '1024', '--memory', '2048M'])
  const deploy = async (app: string, ports: string) => {
    await using source = await makeSource({ 'docker-compose.yml': compose(ports) })
    return await rack.attempt(['deploy', '--app', app, source.path])
  }
  const program = createServer().listen(0, '0.0.0.0')
  await once(program, 'listening')
  t.after(() => program.close())
  const { port: programs } = program.address() as AddressInfo
  const free = createServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port: others } = free.address() as AddressInfo
  free.close()
  await once(free, 'close')

  const held = await deploy('holder', `"${others}:8080"`)
  assert.equal(held.code, 0, held.stderr)
  const first = await deploy('shop', '"80:8080"')
  assert.equal(first.code, 0, first.stderr)
  const processes = await rack.json<{ id: string }[]>('ps', '--app', 'shop')
  const visit = async () => (await ask({ port: rack.httpPort, host: 'shop.localhost' })).body
  const before = await visit()

  const taken = await deploy(
    'shop',
    `"80:8080", "${others}:8080", "${programs}:8080", "${rack.httpPort}:8080"`,
  )
  assert.equal(taken.code, 1)
  assert.match(taken.stderr, /3 things stand in the way/)
  assert.match(taken.stderr, new RegExp(`port ${others} is held by the app holder \\(web\\)`))
  assert.match(taken.stderr, new RegExp(`port ${programs} is held by another program on this machine`))
  assert.match(taken.stderr, new RegExp(`port ${rack.httpPort} is held by the HTTP router`))
  assert.equal(await visit(), before, 'no release command ran')
  assert.deepEqual(await rack.json('ps', '--app', 'shop'), processes, 'nothing was replaced')

  const plan = await rack.attempt(['releases', 'promote', '--plan', '--json', '--app', 'shop'])
  assert.equal(plan.code, 1)
  assert.deepEqual(
    (JSON.parse(plan.stdout) as Plan).obstacles.map(({ code }) => code),
    ['port-taken', 'port-taken', 'port-taken'],
  )
  const shown = await rack.attempt(['releases', 'promote', '--plan', '--app', 'shop'])
  assert.match(shown.stdout, new RegExp(`refused +port ${others} is held by the app holder`))
})
