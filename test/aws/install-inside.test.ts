import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { openInstallWorld } from '../support/install-world.ts'
import { startNodeBase } from '../support/node-base.ts'
import { makeSource } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

/** A rack whose daemon is a service of the account: nothing of it is on the machine on which it is typed. */
const world = await openInstallWorld()
const base = await startNodeBase()
const { name, region, home, aws, held, run, passes } = world
after(async () => {
  await world.close()
  await base[Symbol.asyncDispose]()
})

const install = ['install', 'aws', '--region', region, '--name', name, '--domain', 'localhost']
const making = [...install, '--node-image', base.image, '--yes']
const compose = `services:
  web:
    build: .
    ports: ["80:8080"]
    environment: { WORD: hello }
`
const dockerfile = `FROM busybox:1
CMD mkdir -p /www && echo "$WORD" > /www/index.html && exec httpd -f -p 8080 -h /www
`

test('plan, install, deploy with a build, login from elsewhere, update, uninstall', async () => {
  const plan = await passes([...install, '--plan'])
  for (const line of [/DaemonService/, /database db\.t4g\.micro of RDS/, /ApiRule/])
    assert.match(plan.stdout, line)

  const installed = await passes(making)
  assert.match(installed.stderr, new RegExp(`^rack-${name}: DaemonService CREATE_COMPLETE$`, 'm'))
  assert.match(installed.stderr, new RegExp(`^${name} is up$`, 'm'))
  assert.equal(installed.stdout, `aws://${region}/${name}\n`)
  assert.ok(!existsSync(join(home, 'first', 'data')), 'a directory of a rack is here')

  await using source = await makeSource({ 'docker-compose.yml': compose, Dockerfile: dockerfile })
  await passes(['deploy', '--app', 'shop', source.path])
  const visit = visitLocally(aws.loopbackPort('web', 80))
  const answers = async () => (await visit('shop.localhost'))?.text === 'hello'
  await until(answers, { what: 'the app to answer', deadlineMs: 30_000 })

  const elsewhere = world.environment('second', 'ANNA')
  const login = await run(['login', `aws://${region}/${name}`], elsewhere)
  assert.equal(login.code, 0, login.stderr)
  const apps = await run(['apps', '--json'], elsewhere)
  assert.match(apps.stdout, /"shop"/)
  const again = await run(making, world.environment('third', 'BOB'))
  assert.match(
    again.stderr,
    new RegExp(`^error: there is a rack "${name}" in ${region} of this account`, 'm'),
  )
  assert.match(again.stderr, /Its daemon is in the account/)

  const gone = await passes(['uninstall', '--rack', name, '--yes'])
  assert.match(gone.stderr, /^what stays in the account:$/m)
  for (const line of [
    /the bucket \S+: aws s3 rb/,
    /the last snapshot of the store \S+: aws rds delete-db-snapshot/,
  ])
    assert.match(gone.stderr, line)
  assert.deepEqual([...new Set(await held())], ['AWS::EFS::FileSystem', 'AWS::KMS::Key', 'AWS::S3::Bucket'])
  assert.equal((await passes(['racks', '--json'])).stdout.includes(name), false)
})
