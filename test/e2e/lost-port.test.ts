import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

test('a port lost to another program is told by start, status, doctor, apps and ps, and taken again', async (t) => {
  const httpsPort = await freePort()
  await using rack = await installRack([
    '--https-port',
    String(httpsPort),
    '--cpu',
    '1024',
    '--memory',
    '1024M',
  ])
  const port = await freePort()
  await using source = await makeSource({
    'docker-compose.yml': `services:
  db:
    image: node:24-slim
    command: node -e "require('node:http').createServer((q, r) => r.end('db')).listen(3000)"
    ports: ["${port}:3000"]
    stop_grace_period: 1s
`,
  })
  await rack.run('deploy', '--app', 'queue', source.path)
  const visit = () => ask({ port, host: 'queue.localhost' })
  assert.equal((await visit()).body, 'db')

  await rack.run('stop')
  const thieves = [port, httpsPort].map((taken) => createServer().listen(taken, '0.0.0.0'))
  t.after(() => thieves.map((thief) => thief.close()))
  await Promise.all(thieves.map((thief) => once(thief, 'listening')))
  const started = await rack.attempt(['start'])
  const told = new RegExp(`port ${port} of queue \\(db\\) is served by nobody: process ${process.pid} \\(`)
  for (const command of [['status'], ['apps'], ['apps', 'info', 'queue'], ['ps', 'queue']])
    assert.match((await rack.attempt(command)).stderr, told, command.join(' '))
  const toldOfHttps = new RegExp(`port ${httpsPort} of https is served by nobody: process ${process.pid} \\(`)
  for (const { stderr } of [started, await rack.attempt(['status'])]) {
    assert.match(stderr, told)
    assert.match(stderr, toldOfHttps)
  }
  type Status = { https: string | null; unservedPorts: { app: string | null; port: number }[] }
  const { unservedPorts, https } = await rack.json<Status>('status')
  assert.deepEqual(
    unservedPorts.map((lost) => [lost.app, lost.port]),
    [
      [null, httpsPort],
      ['queue', port],
    ],
  )
  assert.equal(https, null, 'nobody answers there')
  const doctor = await rack.attempt(['doctor'])
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, new RegExp(`BAD +port ${port} +queue \\(db\\) is not served there: process`))
  assert.match(doctor.stdout, new RegExp(`BAD +port ${httpsPort} +https is not served there: process`))

  await Promise.all(thieves.map((thief) => once(thief.close(), 'close')))
  const isServed = () =>
    visit().then(
      ({ body }) => body === 'db',
      () => false,
    )
  await until(isServed, { deadlineMs: 10_000, what: 'the port to be served again' })
  const httpsUrl = async () => (await rack.json<Status>('status')).https
  await until(httpsUrl, { deadlineMs: 10_000, what: 'https to be served again' })
  assert.doesNotMatch((await rack.attempt(['status'])).stderr, /served by nobody/)
})
