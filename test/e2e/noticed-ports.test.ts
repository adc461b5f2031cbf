import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort, installRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

const page = (word: string) => `require('node:http').createServer((q, r) => r.end('${word}')).listen(3000)`
const wordy = `require('node:net').createServer((s) => s.on('error', () => {}).on('data', () => s.write('-ERR no such command'))).listen(7000)`

interface Promoted {
  noticed?: { process: string; port: number; external: number }[]
  endpoints: { process: string; url: string }[]
}

test('a raw port that speaks HTTP is noticed, told, and served by name from the next promote on', async () => {
  await using rack = await installRack(['--cpu', '1024', '--memory', '2048M'])
  const [site, talk, meant] = [await freePort(), await freePort(), await freePort()]
  const file = (word: string) => `services:
  site: &usual
    image: node:24-slim
    command: node -e "${page(word)}"
    ports: ["${site}:3000"]
    stop_grace_period: 1s
    labels: { rack.draining.timeout: "1" }
  talk:
    <<: *usual
    command: node -e "${wordy}"
    ports: ["${talk}:7000"]
  meant:
    <<: *usual
    ports: ["${meant}:3000"]
    labels: { rack.draining.timeout: "1", rack.port.${meant}.protocol: tcp }
`
  await using source = await makeSource({ 'docker-compose.yml': file('one') })
  const byName = async () => await ask({ port: rack.httpPort, host: 'wild.localhost' })
  const raw = async (port: number) =>
    (await ask({ port, host: 'wild.localhost', headers: { connection: 'close' } })).body
  const urls = async () =>
    (await rack.json<Promoted>('apps', 'info', 'wild')).endpoints.map(({ url }) => url).sort()

  const first = await rack.attempt(['deploy', '--app', 'wild', source.path])
  assert.equal(first.code, 0, first.stderr)
  assert.match(
    first.stderr,
    new RegExp(
      `site speaks HTTP on port 3000: the next promote .*, as http://wild\\.localhost.*rack\\.port\\.${site}\\.`,
    ),
  )
  assert.doesNotMatch(first.stderr, /(talk|meant) speaks HTTP/)
  assert.equal(await raw(site), 'one')
  assert.equal((await byName()).status, 404)

  // What is live stays what it is: also for a daemon that begins anew, and finds a copy missing.
  await rack.run('stop', '--keep-router')
  await rack.run('start')
  assert.ok((await urls()).every((url) => url.startsWith('tcp://')))

  const [release] = await rack.json<{ id: string }[]>('releases', '--app', 'wild')
  const plan = await rack.run('releases', 'promote', release!.id, '--app', 'wild', '--plan', '--json')
  assert.match(plan, /"wild\.localhost"/)
  const promoted = await rack.run('env', 'set', '--promote', 'COLOR=red', '--app', 'wild')
  assert.match(promoted, /http:\/\/wild\.localhost/)
  assert.deepEqual(await byName(), { status: 200, body: 'one' })
  assert.equal(await raw(site), 'one', 'the raw port stays')
  assert.equal(await raw(meant), 'one')

  await source.write({ 'docker-compose.yml': file('two') })
  const next = await rack.attempt(['deploy', '--app', 'wild', source.path])
  assert.equal(next.code, 0, next.stderr)
  assert.doesNotMatch(next.stderr, /speaks HTTP/)
  assert.deepEqual(await byName(), { status: 200, body: 'two' })
})
