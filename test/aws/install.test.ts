import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ensureStack } from '../../src/aws/stacks.ts'
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

/** Makes of the rack what an earlier version would have left, also in what its daemon was told. */
async function earlier(): Promise<void> {
  const StackName = `rack-${name}`
  const { stacks } = world.clients
  const { TemplateBody } = await stacks.getTemplate({ StackName })
  const template = JSON.parse(TemplateBody!) as {
    Resources: Record<string, { Properties: object }>
    Outputs: Record<string, { Value: string }>
  }
  const image = template.Outputs['ToolImage']!.Value
  const before = image.replace(/[0-9a-f]{64}$/, '0'.repeat(64))
  const path = join(directory, 'rack.json')
  await writeFile(path, (await readFile(path, 'utf8')).replace(image, before))
  template.Outputs['ToolImage']!.Value = before
  template.Resources['Stopped']!.Properties = {
    ...template.Resources['Stopped']!.Properties,
    RetentionInDays: 30,
  }
  template.Resources['Earlier'] = {
    ...template.Resources['Stopped']!,
    Properties: { LogGroupName: `/rack/${name}/_earlier` },
  }
  const { Stacks } = await stacks.describeStacks({ StackName })
  const parameters = Stacks![0]!.Parameters!.map(
    ({ ParameterKey, ParameterValue }) => [ParameterKey!, ParameterValue!] as const,
  )
  const options = { stacks, intervalMs: 50 }
  const wanted = { name: StackName, template, parameters: Object.fromEntries(parameters) }
  await ensureStack(options, wanted, { signal: AbortSignal.timeout(60_000) })
}

async function updatesFrom(makeEarlier: () => Promise<void>): Promise<void> {
  const update = ['update', '--rack', name]
  const none = await passes([...update, '--plan'])
  assert.equal(
    none.stdout,
    `rack-${name}-base: no changes of its resources\nrack-${name}: no changes of its resources\n`,
  )
  await makeEarlier()
  const plan = await passes([...update, '--plan', '--json'])
  const { stacks, isNewTool } = JSON.parse(plan.stdout) as {
    stacks: { name: string; changes: { action: string; resource: string }[] }[]
    isNewTool: boolean
  }
  assert.ok(isNewTool)
  const changes = stacks.map(({ changes }) => changes.map(({ action, resource }) => `${action} ${resource}`))
  assert.deepEqual(changes, [[], ['Modify Stopped', 'Remove Earlier']])
  const lost = await run([...update, '--yes'])
  assert.match(
    lost.stderr,
    /^error: the stack \S+ stays as it is: Earlier \(AWS::Logs::LogGroup\) would be removed$/m,
  )
  assert.match(lost.stderr, /^→ .*rack update --rack \S+ --replace Earlier$/m)
  const other = await run([...update, '--yes', '--replace', 'Bucket'])
  assert.match(
    other.stderr,
    /^error: --replace: no "Bucket" would be replaced or removed\n→ There are Earlier/m,
  )
  const nobody = await run([...update, '--replace', 'Earlier'])
  assert.match(nobody.stderr, /^ {2}Remove +Earlier +AWS::Logs::LogGroup \(needs --replace Earlier\)$/m)
  assert.match(nobody.stderr, /^error: .*nobody is here to be asked/m)
  const daemon = await daemonOf()
  const done = await passes([...update, '--yes', '--replace', 'Earlier'])
  assert.match(done.stderr, new RegExp(`^rack-${name}: rack-${name} UPDATE_COMPLETE$`, 'm'))
  assert.match(done.stderr, new RegExp(`^${name}: its daemon has started anew$`, 'm'))
  assert.notEqual(await daemonOf(), daemon)
  assert.doesNotMatch(await readFile(join(directory, 'rack.json'), 'utf8'), /0{64}/)
  const again = await passes(update)
  assert.match(again.stderr, new RegExp(`^${name}: its stacks are of this version already$`, 'm'))
}

const daemonOf = async () =>
  (JSON.parse((await passes(['status', '--json'])).stdout) as { daemon: { pid: number } }).daemon.pid

test('plan, a failure that undoes itself, install, deploy, update, a name that is taken, uninstall', async () => {
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

  await updatesFrom(earlier)
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
