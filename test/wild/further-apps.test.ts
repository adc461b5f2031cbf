import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startLoad } from '../support/load.ts'
import { testLives } from '../support/wild-lives.ts'
import { copySource } from '../support/wild.ts'
import { furtherApps, version } from './wild-apps.ts'

const rackOf = testLives(furtherApps)

test('a release that crashes again and again is refused, and costs no visitor of flaky a request', async () => {
  const rack = rackOf()
  await using source = await copySource('flaky')
  const named = ['--app', 'flaky']
  await rack.run('deploy', ...named, source.path)
  const visitors = startLoad({ port: rack.httpPort, host: 'flaky.localhost', connections: 4, restMs: 10 })
  await source.change({ file: 'worker.js', from: 'limitMs = Infinity', to: 'limitMs = 1000' })
  await source.change(version)
  const { code, stderr } = await rack.attempt(['deploy', ...named, source.path])
  assert.equal(code, 1)
  assert.match(stderr, /worker: the process \w+ exited with 3/)
  assert.match(stderr, /cannot reach the queue/)
  const { failures, bodies } = await visitors.stop()
  assert.deepEqual([failures, Object.keys(bodies)], [{}, ['one']])
  const running = await rack.json<{ type: string; status: string }[]>('ps', ...named)
  assert.deepEqual(
    new Set(running.map(({ type, status }) => `${type} ${status}`)),
    new Set(['web running', 'worker running']),
  )
})
