import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { startRackCommand } from '../support/command-line.ts'
import { openInstallWorld } from '../support/install-world.ts'

const world = await openInstallWorld()
const { name, region, directory, env, aws, clients, held, run, passes, install } = world
after(async () => await world.close())

/** Ends an install by a signal while stacks are made. */
async function interruptedBy(signal: NodeJS.Signals) {
  const { child, said } = startRackCommand(install, { env })
  const { promise: isMaking, resolve } = Promise.withResolvers<void>()
  let seen = ''
  child.stderr!.on('data', (chunk: string) => {
    seen += chunk
    if (seen.includes('Vpc CREATE_COMPLETE')) resolve()
  })
  await Promise.race([isMaking, said])
  child.kill(signal)
  return await said
}

test('an install that was interrupted is gone on with', async () => {
  const { code, stderr } = await interruptedBy('SIGINT')
  assert.equal(code, 130, stderr)
  assert.match(stderr, /^→ The account goes on with what it has begun\. Type the same again/m)
  assert.ok(!existsSync(directory))
  aws.stacks.failNext(`rack-${name}`, 'Cluster', 'no more clusters for you')
  const failed = await run(install)
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /^what stood of it in the account stays: rack uninstall --region/m)
  assert.ok((await held()).includes('AWS::EC2::VPC'), 'what an earlier one has made is still there')
  const rest = await passes([...install, '--json'])
  assert.equal((JSON.parse(rest.stdout) as { status: string }).status, 'running')
  const refused = await run(['uninstall', '--region', region, '--rack', name, '--yes'])
  assert.match(refused.stderr, new RegExp(`^error: ${name} is installed: its daemon is on `, 'm'))
  const gone = await passes(['uninstall', '--rack', name, '--yes', '--volumes', '--json'])
  const last = JSON.parse(gone.stdout.trim().split('\n').at(-1)!) as { result: { kept: { type: string }[] } }
  assert.deepEqual(
    last.result.kept.map(({ type }) => type),
    ['AWS::KMS::Key'],
  )
  assert.match(gone.stderr, /the key \S+, which AWS deletes in 30 days/)
})

test('what one that was killed has left is taken away', async () => {
  await interruptedBy('SIGKILL')
  await passes(['uninstall', '--region', region, '--rack', name, '--yes', '--volumes'])
  assert.deepEqual([...new Set(await held())], ['AWS::KMS::Key'])
  const nobody = await run(['uninstall', '--region', region, '--rack', name, '--yes'])
  assert.equal(nobody.code, 1)
  assert.match(nobody.stderr, new RegExp(`^error: the account \\d+ has nothing of a rack "${name}"`, 'm'))
})

test('what holds the data of a rack outlives an install that fails, and another account is left alone', async () => {
  await comesSecond()
  const begin = aws.calls.records.length
  await passes(install)
  const calls = aws.calls.records.slice(begin).map(({ service, action }) => `${service}:${action}`)
  const [marked, daemon] = ['s3:PutObject', 'ecs:List'].map((start) =>
    calls.findIndex((call) => call.startsWith(start)),
  )
  assert.ok(marked! >= 0 && daemon! > marked!, 'it says that it is installed before its daemon is there')

  const path = join(directory, 'rack.json')
  const written = await readFile(path, 'utf8')
  await writeFile(path, written.replace('"account": "123456789012"', '"account": "999999999999"'))
  const other = await run(['uninstall', '--rack', name, '--yes'])
  assert.match(
    other.stderr,
    /^error: the rack stands in the account 999999999999, and the credentials are of 123/m,
  )
  await writeFile(path, written)
  await passes(['stop', '--rack', name])

  const isGone = async () => {
    const left = clients.stacks.describeStacks({ StackName: `rack-${name}` })
    return await left.then(
      () => false,
      () => true,
    )
  }
  const StackName = `rack-${name}`
  await clients.stacks.updateTerminationProtection({ StackName, EnableTerminationProtection: false })
  await clients.stacks.deleteStack({ StackName })
  await until(isGone, { what: 'the stack to go', deadlineMs: 60_000 })
  const second = world.environment('second', 'BOB')
  const elsewhere = [...install, '--dir', join(world.home, 'other')]
  const taken = await run(elsewhere, second)
  assert.match(taken.stderr, new RegExp(`^error: there is a rack "${name}" in`, 'm'))
  await clients.objects.deleteObject({ Bucket: await bucketOf(), Key: 'installed' })
  // No database is there: its daemon does not start.
  const failed = await run(elsewhere, { ...second, RACK_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })
  assert.equal(failed.code, 1)
  assert.match(failed.stderr.slice(-1500), /^error: the daemon does not start/m)
  assert.match(failed.stderr, /^what stood of it in the account stays: rack uninstall --region/m)
  const there = await held()
  for (const type of ['AWS::S3::Bucket', 'AWS::EFS::FileSystem', 'AWS::EC2::VPC'])
    assert.ok(there.includes(type), type)
})

async function bucketOf(): Promise<string> {
  const { Stacks } = await clients.stacks.describeStacks({ StackName: `rack-${name}-base` })
  return Stacks![0]!.Outputs!.find(({ OutputKey }) => OutputKey === 'Bucket')!.OutputValue!
}

/** Of two installs at once the one that says first that it is installed has the rack, whoever has made the stacks. */
async function comesSecond(): Promise<void> {
  const Key = 'installed'
  const Body = JSON.stringify({ host: 'there', directory: '/rack' })
  let isFirst = false
  aws.calls.hooks = {
    async beforeCall({ action }) {
      if (action !== 'PutObject' || isFirst) return
      isFirst = true
      await clients.objects.putObject({ Bucket: await bucketOf(), Key, Body })
    },
  }
  const second = await run(install)
  aws.calls.hooks = {}
  assert.equal(second.code, 1)
  assert.match(
    second.stderr,
    new RegExp(`^error: there is a rack "${name}" in .*\n→ Its daemon is on there\\.`, 'm'),
  )
  assert.match(second.stderr, /^what stood of it in the account stays: rack uninstall/m)
  assert.ok(!existsSync(directory))
  assert.ok((await held()).includes('AWS::EC2::VPC'))
  await clients.objects.getObject({ Bucket: await bucketOf(), Key })
  await clients.objects.deleteObject({ Bucket: await bucketOf(), Key })
}
