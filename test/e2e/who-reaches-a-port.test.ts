import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

test('a port is reached where the file and the rack say, and an older rack is told that it listens everywhere', async () => {
  await using rack = await installRack(['--cpu', '1024', '--memory', '1024M', '--tcp-bind', '127.0.0.3'])
  const [open, local] = [await freePort(), await freePort()]
  await using source = await makeSource({
    'docker-compose.yml': `services:
  db:
    image: node:24-slim
    command: node -e "require('node:http').createServer((q, r) => r.end('db')).listen(3000)"
    ports: ["${open}:3000", "127.0.0.1:${local}:3000"]
    stop_grace_period: 1s
`,
  })
  await rack.run('deploy', '--app', 'queue', source.path)
  // A connection that is kept would go on where no new one is let in.
  const answers = (address: string, port: number) =>
    ask({ address, port, host: 'queue.localhost', headers: { connection: 'close' } }).then(
      ({ body }) => body === 'db',
      () => false,
    )
  const reached = async () => ({
    open: await Promise.all(['127.0.0.1', '127.0.0.3', '127.0.0.4'].map((address) => answers(address, open))),
    local: await Promise.all(
      ['127.0.0.1', '127.0.0.3', '127.0.0.4'].map((address) => answers(address, local)),
    ),
  })
  assert.deepEqual(await reached(), { open: [false, true, false], local: [true, false, false] })
  assert.match(await rack.run('apps', 'info', 'queue'), new RegExp(`tcp://127\\.0\\.0\\.1:${local}`))

  // As one that was installed before there was a choice.
  await rack.run('stop', '--keep-router')
  const file = `${rack.directory}/rack.json`
  const { tcp, ...older } = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown> & {
    http: object
  }
  assert.deepEqual(tcp, { bind: '127.0.0.3' })
  await writeFile(file, JSON.stringify({ ...older, http: { ...older.http, bind: '127.0.0.1' } }))
  const told = /external tcp ports listen on all addresses, and http on 127.0.0.1 alone.*--tcp-bind 127.0.0.1/
  assert.match((await rack.attempt(['start'])).stderr, told)
  const isOpen = async () => (await answers('127.0.0.4', open)) && (await answers('127.0.0.1', open))
  await until(isOpen, { deadlineMs: 60_000, what: 'the port on all addresses, as it was' })
  assert.match(
    (await rack.attempt(['doctor'])).stdout,
    /tcp ports +external tcp ports listen on all addresses/,
  )

  const running = await rack.attempt(['start', '--tcp-bind', '127.0.0.1'])
  assert.equal(running.code, 1)
  assert.match(running.stderr, /runs, with its tcp ports on 0\.0\.0\.0\n.*rack stop --keep-router/)
  await rack.run('stop', '--keep-router')
  assert.doesNotMatch((await rack.attempt(['start', '--tcp-bind', '127.0.0.1'])).stderr, told)
  const isClosed = async () => !(await answers('127.0.0.4', open)) && (await answers('127.0.0.1', open))
  await until(isClosed, { deadlineMs: 60_000, what: 'the port at the chosen address alone' })
})
