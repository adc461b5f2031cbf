import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { AuditEntry } from '../../src/domain/audit.ts'
import { until } from '../../src/lib/poll.ts'
import { installRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const compose =
  'services:\n  web:\n    image: busybox:1\n    command: sleep 3600\n    stop_grace_period: 1s\n'

test('the audit tells what the command line did, and of a call in the middle of which the daemon died', async () => {
  await using rack = await installRack()
  await using source = await makeSource({ 'docker-compose.yml': compose })
  const audit = async () => (await rack.json<AuditEntry[]>('audit')).reverse()
  await rack.run('deploy', '--app', 'shop', source.path)
  await rack.run('env', 'set', 'TOKEN=hunter2', '--app', 'shop')
  assert.equal((await rack.attempt(['releases', 'promote', 'RNOTHERE', '--app', 'shop'])).code, 1)

  const { said } = rack.start(['exec', 'web', '--app', 'shop', '--', 'sh', '-c', 'sleep 3600; echo hunter2'])
  const isInside = async () => (await audit()).at(-1)?.verb === 'execProcess'
  await until(isInside, { deadlineMs: 20_000, what: 'the command to begin' })
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  assert.notEqual((await said).code, 0)
  await rack.run('start')

  const entries = await audit()
  const [release] = await rack.json<{ id: string; live: boolean }[]>('releases', '--app', 'shop')
  assert.ok(release)
  assert.deepEqual(
    entries.map(({ verb, app, outcome }) => `${verb} ${app} ${outcome}`),
    [
      'buildApp shop done',
      'promoteRelease shop done',
      'changeEnvironment shop done',
      'promoteRelease shop not-found',
      'execProcess shop null',
    ],
  )
  assert.deepEqual([...new Set(entries.map(({ caller }) => caller))], [entries[0]?.caller])
  assert.deepEqual([...new Set(entries.map(({ source }) => source))], ['socket'])
  assert.deepEqual(
    entries.map(({ subject, request }) => [subject === 'TOKEN', request !== null]),
    entries.map(({ verb }) => [verb === 'changeEnvironment', true]),
  )
  const log = await readFile(join(rack.directory, 'daemon.log'), 'utf8')
  assert.match(log, /"verb":"changeEnvironment".*"outcome":"done"/)
  assert.doesNotMatch(log + JSON.stringify(entries), /hunter2/)

  await rack.run('audit', 'verify')
  const refused = entries.find(({ outcome }) => outcome === 'not-found')
  {
    using store = new DatabaseSync(join(rack.directory, 'store/store.sqlite'), { timeout: 30_000 })
    store.exec(`update audit set caller = 'nobody' where seq = ${refused?.id}`)
  }
  const proof = await rack.attempt(['audit', 'verify'])
  assert.equal(proof.code, 1)
  assert.equal(proof.stderr, `altered: entry ${refused?.id} is not as it was written\n`)
})
