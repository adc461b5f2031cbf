import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const execute = promisify(execFile)

const compose = `services:
  web: { build: ., networks: [front] }
  api: { build: ., networks: [front, back], expose: ["3000"], deploy: { replicas: 2 } }
  db: { build: ., networks: [back], expose: ["3000"] }
networks: { front: , back: { internal: true } }
`
/** From its second start on it takes seconds until it listens. */
const program = `
  const { existsSync, writeFileSync } = require('node:fs')
  const isAgain = existsSync('/tmp/was-here')
  writeFileSync('/tmp/was-here', '')
  const server = require('node:net').createServer((socket) => socket.on('error', () => {}).end('here'))
  setTimeout(() => server.listen(3000), isAgain ? 6000 : 0)
  process.on('SIGTERM', () => process.exit())
`
const files = {
  'docker-compose.yml': compose,
  Dockerfile: 'FROM node:24-slim\nCOPY program.js /program.js\nCMD ["node", "/program.js"]\n',
  'program.js': program,
}

interface Container {
  id: string
  pid: number
  address: string
}

async function containersOf(rack: InstalledRack, type: string): Promise<Container[]> {
  const filters = [`label=com.rack.name=${rack.name}`, `label=com.rack.type=${type}`]
  const { stdout } = await execute('docker', [
    'ps',
    '--quiet',
    ...filters.flatMap((one) => ['--filter', one]),
  ])
  const ids = stdout.trim().split('\n')
  return await Promise.all(
    ids.map(async (id) => {
      const format = '{{.State.Pid}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
      const said = (await execute('docker', ['inspect', '--format', format, id])).stdout.trim().split(' ')
      return { id, pid: Number(said[0]), address: said[1] ?? '' }
    }),
  )
}

/** Whether a process hears another, by name or address, each of several times. */
async function hears({ id }: Container, host: string, times = 1): Promise<boolean[]> {
  const asking = `
    const ask = () => new Promise((resolve) => {
      const socket = require('node:net').connect(3000, '${host}')
      socket.setTimeout(2000, () => { socket.destroy(); resolve(false) })
      socket.on('data', () => { socket.destroy(); resolve(true) }).on('error', () => resolve(false))
    })
    void (async () => { for (let left = ${times}; left > 0; left--) console.log(await ask()) })()`
  const { stdout } = await execute('docker', ['exec', id, 'node', '-e', asking])
  return stdout
    .trim()
    .split('\n')
    .map((word) => word === 'true')
}

test('without a daemon names and networks hold: a copy that dies keeps its share until Docker has it again', async () => {
  const rack = await installRack()
  await using source = await makeSource(files)
  const names = [`table ip rack-${rack.name}`, `table bridge rack-${rack.name}`]
  const tables = async () =>
    (await execute('nft', ['list', 'tables'])).stdout.split('\n').filter((table) => names.includes(table))
  try {
    await rack.run('deploy', '--app', 'alone', source.path)
    assert.deepEqual((await tables()).sort(), names.toSorted())
    const isKept = async () =>
      (await readFile(`${rack.directory}/names.nft`, 'utf8')).includes(names[1] ?? '')
    await until(isKept, { deadlineMs: 20_000, what: 'the rules to be kept for the next boot' })
    const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
    process.kill(daemon.pid, 'SIGKILL')

    const [web] = await containersOf(rack, 'web')
    const [api, other] = await containersOf(rack, 'api')
    const [db] = await containersOf(rack, 'db')
    assert.ok(web && api && other && db)
    process.kill(api.pid, 'SIGKILL')
    const shares = await hears(web, 'api', 8)
    assert.deepEqual([shares.includes(true), shares.includes(false)], [true, true], shares.join())
    const isWhole = async () => (await hears(web, 'api', 8)).every(Boolean)
    await until(isWhole, { deadlineMs: 30_000, what: 'the copy to serve again' })
    const again = (await containersOf(rack, 'api')).find(({ id }) => id === api.id)
    assert.equal(again?.address, api.address)

    process.kill(db.pid, 'SIGKILL')
    const isBack = async () => (await hears(api, 'db')).every(Boolean)
    await until(isBack, { deadlineMs: 30_000, what: 'the data to be there again' })
    for (const host of ['db', db.address]) assert.deepEqual(await hears(web, host), [false], host)
    for (const [caller, host] of [
      [db, 'api'],
      [api, db.address],
    ] as const)
      assert.deepEqual(await hears(caller, host), [true], host)
  } finally {
    await rack[Symbol.asyncDispose]()
  }
  assert.deepEqual(await tables(), [], 'an uninstalled rack leaves no table')
})
