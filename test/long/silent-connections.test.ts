import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import { after, before, test, type TestContext } from 'node:test'
import type { RouterLoad } from '../../src/domain/router-load.ts'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { startLoad, type LoadResult } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

const atLeast = 10_000
const addresses = 8
const host = 'shop.localhost'
const compose = `services:
  web:
    image: busybox:1
    command: sh -c "mkdir /www && echo hello > /www/index.html && exec httpd -f -p 3000 -h /www"
    ports: ["80:3000"]
`

let rack: InstalledRack
let port: number
let ca: string
before(async () => {
  port = await freePort()
  rack = await installRack(['--https-port', String(port), '--cpu', '1024', '--memory', '1024M'])
  await using source = await makeSource({ 'docker-compose.yml': compose })
  await rack.run('deploy', source.path, '--app', 'shop')
  ca = await rack.run('certs', 'ca')
})
after(() => rack?.[Symbol.asyncDispose]())

interface RouterState {
  pid: number
  load: RouterLoad
}

const state = async () => (await rack.json<{ router: RouterState }>('status')).router

/** So many, of the addresses in turn: each is open, or closed, before the next of its row begins. */
async function openMany(
  t: TestContext,
  many: number,
  open: (localAddress: string) => { socket: Socket; isOpen: string },
) {
  const seen = { begun: 0, closed: 0 }
  const openRow = async () => {
    while (seen.begun < many) {
      const { socket, isOpen } = open(`127.0.4.${(seen.begun++ % addresses) + 1}`)
      t.after(() => socket.destroy())
      const closed = new Promise((resolve) => socket.once('close', resolve)).then(() => (seen.closed += 1))
      socket.on('error', () => undefined)
      await Promise.race([once(socket, isOpen), closed]).catch(() => undefined)
      socket.resume()
    }
  }
  await Promise.all(Array.from({ length: 16 }, openRow))
  return seen
}

/** Visitors who want something, all the while. */
async function visitedWhile(work: () => Promise<void>): Promise<LoadResult> {
  const visits = startLoad({ port, host, ca, connections: 4, keepAlive: false, restMs: 50 })
  try {
    await work()
  } finally {
    await visits.stop()
  }
  return visits.soFar
}

const untouched = ({ requests, failures, bodies }: LoadResult) => {
  assert.deepEqual(failures, {})
  assert.deepEqual(bodies, { 'hello\n': requests })
}

test('ten thousand connections that never begin TLS keep no visitor away, and the doctor tells of them', async (t) => {
  const { pid, load } = await state()
  // However many files the router may open.
  const many = Math.max(atLeast, load.shares.crowded + 500)
  const visits = await visitedWhile(async () => {
    await openMany(t, many, (localAddress) => {
      return { socket: connect({ port, host: '127.0.0.1', localAddress }), isOpen: 'connect' }
    })
    const { connections } = (await state()).load
    assert.ok(connections > load.shares.crowded * 0.9, `${connections} of ${load.shares.crowded}`)
    const { stdout } = await rack.attempt(['doctor'])
    assert.match(stdout, /warn router +\d+ of \d+ connections are open: .*\n +→ See whose they are: ss /)
    await rack.run('ps', '--app', 'shop')
  })
  untouched(visits)
  assert.equal((await state()).pid, pid)
})

test('ten thousand that say nothing once TLS is through are let go, and keep no visitor away', async (t) => {
  const visits = await visitedWhile(async () => {
    const seen = await openMany(t, atLeast, (localAddress) => {
      const raw = connect({ port, host: '127.0.0.1', localAddress })
      raw.on('error', () => undefined)
      return { socket: connectByTls({ socket: raw, servername: host, ca }), isOpen: 'secureConnect' }
    })
    await until(() => seen.closed === atLeast, { deadlineMs: 60_000, what: 'all to be let go' })
  })
  untouched(visits)
})
