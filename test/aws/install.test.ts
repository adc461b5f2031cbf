import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openInstallWorld } from '../support/install-world.ts'
import { makeSource } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

/** A rack in an account that is empty at first, as a new user types it. */
const world = await openInstallWorld()
const { name, region, home, directory, aws, held, run, passes, plan, install } = world
after(async () => await world.close())

const compose = `services:
  web:
    build: .
    ports: ["80:8080"]
    environment: { WORD: hello }
`
const dockerfile = `FROM busybox:1
CMD mkdir -p /www && echo "$WORD" > /www/index.html && exec httpd -f -p 8080 -h /www
`

test('plan, a failure that undoes itself, install, deploy, a name that is taken, uninstall', async () => {
  const before = aws.calls.records.length
  await passes(plan)
  const changing = aws.calls.records.slice(before).filter(({ action }) => !/^(Get|Simulate)/.test(action))
  assert.deepEqual(changing, [])

  aws.stacks.failNext(`rack-${name}`, 'Cluster', 'no more clusters for you')
  const failed = await run(install)
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /^error: .*no more clusters for you/m)
  // A key is deleted by the account, in thirty days.
  assert.deepEqual(await held(), ['AWS::KMS::Key'])
  assert.ok(!existsSync(directory))

  const installed = await passes(install)
  assert.match(installed.stderr, new RegExp(`^rack-${name}-base: Vpc CREATE_COMPLETE$`, 'm'))
  assert.match(installed.stderr, new RegExp(`^${name} is up$`, 'm'))
  assert.match(
    installed.stderr,
    /the daemon runs on this machine, which has to reach the network that is made/,
  )
  const { stdout } = await passes(['status', '--json'])
  const status = JSON.parse(stdout) as { status: string; account: { id: string }; http: string }
  assert.deepEqual([status.status, status.account.id], ['running', '123456789012'])

  await using source = await makeSource({ 'docker-compose.yml': compose, Dockerfile: dockerfile })
  await passes(['deploy', '--app', 'shop', source.path])
  const visit = visitLocally(aws.loopbackPort('web', 80))
  assert.equal((await visit('shop.localhost'))?.text, 'hello')

  const taken = await run([...install, '--dir', join(home, 'other')], world.environment('second', 'BOB'))
  assert.equal(taken.code, 1)
  assert.match(
    taken.stderr,
    new RegExp(`^error: there is a rack "${name}" in ${region} of this account`, 'm'),
  )
  const known = await run(install)
  assert.match(known.stderr, new RegExp(`^error: a rack "${name}" is known here already`, 'm'))
  assert.equal((await visit('shop.localhost'))?.text, 'hello')

  const gone = await passes(['uninstall', '--rack', name, '--yes'])
  assert.match(gone.stderr, /^what stays in the account:$/m)
  for (const line of [/the bucket \S+: aws s3 rb/, /the file system fs-\w+: aws efs/, /the key \S+, without/])
    assert.match(gone.stderr, line)
  assert.deepEqual([...new Set(await held())], ['AWS::EFS::FileSystem', 'AWS::KMS::Key', 'AWS::S3::Bucket'])
  assert.ok(!existsSync(directory))
  assert.equal((await passes(['racks', '--json'])).stdout.includes(name), false)
})
