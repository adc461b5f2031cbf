import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

let rack: InstalledRack

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
})
after(() => rack[Symbol.asyncDispose]())

const compose = 'services:\n  web:\n    build: .\n    command: sleep 600\n    stop_grace_period: 1s\n'

test(
  'endless builds of one app take neither the turns nor the room of another',
  { timeout: 120_000 },
  async () => {
    await using endless = await makeSource({
      'docker-compose.yml': compose,
      Dockerfile: `FROM busybox:1\nRUN echo begun; sleep 8${process.pid}\n`,
    })
    await using good = await makeSource({ 'docker-compose.yml': compose, Dockerfile: 'FROM busybox:1\n' })
    await rack.run('apps', 'create', 'greedy')
    const greedy = Array.from({ length: 4 }, () => rack.start(['build', '--app', 'greedy', endless.path]))
    const running = () => rack.json<{ status: string }[]>('builds', '--app', 'greedy')
    await until(async () => (await running()).filter(({ status }) => status === 'running').length === 4, {
      deadlineMs: 60_000,
      intervalMs: 200,
      what: 'four builds',
    })
    await rack.run('deploy', '--app', 'shop', good.path)
    assert.ok((await running()).every(({ status }) => status === 'running'))
    await rack.run('apps', 'delete', 'greedy', '--yes')
    const ends = await Promise.all(greedy.map(({ said }) => said))
    assert.ok(ends.every(({ code }) => code !== 0))
    const waited = ends.filter(({ stderr }) => stderr.includes('waiting for another build of greedy'))
    assert.equal(waited.length, 3)
  },
)
