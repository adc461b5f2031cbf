import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { stackOptionsOf } from '../../src/account/installation-account.ts'
import { findStacks, makeStacks, planStacks } from '../../src/account/make-stacks.ts'
import { placesOf } from '../../src/account/places.ts'
import { removeStacks } from '../../src/account/remove-stacks.ts'
import { assertNamesFree } from '../../src/account/taken-names.ts'
import { ensureStack } from '../../src/aws/stacks.ts'
import { webStackName } from '../../src/domain/aws-places.ts'
import { noReleaseCommands } from '../../src/domain/engine.ts'
import type { RackError } from '../../src/domain/error.ts'
import { appOwner } from '../../src/domain/owner.ts'
import { createAwsEngine } from '../../src/engines/aws/aws-engine.ts'
import { webTemplate } from '../../src/engines/aws/definition/web-template.ts'
import { intervalsAt } from '../../src/engines/aws/intervals-at.ts'
import { connectToDocker } from '../fake-aws/ecs/task-network.ts'
import { toolImage } from '../fake-aws/tool/tool-image.ts'
import { serveText, shellCommand } from '../support/behaviour.ts'
import { controlFor } from '../support/docker-rack.ts'
import { listeningControl, openEmptyAccount } from '../support/installation.ts'
import { planOf, processPlan, servesHttp } from '../support/plans.ts'
import { visitLocally } from '../support/visits.ts'

const factor = 100
let own: Awaited<ReturnType<typeof openEmptyAccount>>

before(async () => {
  own = await openEmptyAccount({ factor })
})
after(async () => {
  await own.close()
  assert.deepEqual(own.aws.troubles, [])
  assert.deepEqual(own.aws.calls.refused, [])
})

test('an engine works in what the stacks have made, and nothing is left of it but what holds data', async () => {
  const { rack, aws, account, wanted, held } = own
  const { heard, control } = listeningControl()
  const plan = await planStacks(account, wanted(), control)
  assert.deepEqual(
    plan.map(({ isNew, changes }) => isNew && changes.every(({ action }) => action === 'Add')),
    [true, true],
  )
  assert.deepEqual(await held(), [])
  await assertNamesFree(account, rack, control)
  await makeStacks(account, wanted(), control)
  // As another Region of the account would have them.
  await assert.rejects(assertNamesFree(account, rack, control), {
    code: 'exists',
    message: new RegExp(`would make: the cluster ${rack} of ECS, the policy rack-${rack}-boundary$`),
  })
  assert.ok(heard.includes(`rack-${rack}-base: Vpc CREATE_COMPLETE`), heard.join('\n'))
  assert.ok(heard.includes(`rack-${rack}: Balancer CREATE_COMPLETE`), heard.join('\n'))
  const tool = await aws.repositories.push(`rack/${rack}`, await toolImage(connectToDocker(), control))
  const images = { tool, builder: tool }
  assert.throws(() => placesOf({ base: {}, rack: {} }), { code: 'engine-failed' })
  const whole = wanted({ images })
  assert.deepEqual(
    (await planStacks(account, whole, control)).map(({ changes }) => changes.map(({ resource }) => resource)),
    [[], ['Builds', 'BuildRole', 'BuildProject']],
  )
  const outputs = await makeStacks(account, whole, control)
  assert.deepEqual(await findStacks(account, rack, control), outputs)
  // The same again changes nothing.
  const begin = aws.calls.records.length
  assert.deepEqual(await makeStacks(account, whole, control), outputs)
  assert.ok(!aws.calls.records.slice(begin).some(({ action }) => action === 'ExecuteChangeSet'))

  const places = placesOf(outputs)
  const { ResourceRecordSets: records = [] } = await account.clients.zones.listResourceRecordSets({
    HostedZoneId: places.zone,
  })
  const authority = records.find(({ Type }) => Type === 'SOA')
  assert.deepEqual([authority?.TTL, authority?.ResourceRecords?.[0]?.Value?.split(' ').at(-1)], [5, '5'])
  const engine = createAwsEngine({
    rack,
    clients: account.clients,
    places,
    total: { cpuUnits: 64 * 1024, memoryBytes: 64 * 2 ** 30 },
    domain: 'localhost',
    randomBytes,
    authorities: async () => await Promise.reject(new Error('no service of the account is made here')),
    intervals: intervalsAt(factor),
    onTrouble: (error) => aws.troubles.push(error),
  })
  const web = processPlan({
    cpuUnits: 64,
    memoryBytes: 32 * 2 ** 20,
    image: await aws.repositories.push(`rack/${rack}`, 'busybox:1'),
    command: shellCommand([serveText(8080, 'made by stacks')]),
    ...servesHttp(8080, ['shop.localhost']),
    environment: { WORD: 'secret' },
  })
  const owner = appOwner('shop')
  const port = {
    external: 7000,
    container: 8080,
    protocol: 'tcp' as const,
    proxy: false as const,
    secure: false,
  }
  const tcp = { ...web, type: 'tcp', hosts: [], ports: [port] }
  const deployed = planOf([web, tcp], { rack, owner, release: 'ROOOOOOOOOO' })
  const change = { plan: deployed, live: null, leaving: [], releaseCommands: noReleaseCommands }
  assert.deepEqual(await engine.additions(planOf([web]), control), [])
  assert.match(
    (await engine.additions(deployed, control)).join(),
    /network load balancer .* paid by the hour/,
  )
  await engine.deploy(change, controlFor(60_000))
  assert.deepEqual(await engine.additions(deployed, control), [])
  const raw = engine.endpoints(deployed).find(({ port }) => port === 7000)!
  assert.match(raw.host, /\.elb\..*amazonaws\.com$/)
  const answer = await fetch(`http://127.0.0.1:${aws.loopbackPort('network', 7000)}/`)
  assert.equal((await answer.text()).trim(), 'made by stacks')
  const visit = visitLocally(aws.loopbackPort('web', 80))
  assert.equal((await visit('shop.localhost'))?.text, 'made by stacks')
  assert.equal((await visit('nobody.localhost'))?.status, 404)

  // What an app still stands in does not go.
  await assert.rejects(removeStacks(account, { rack, data: false }, control), (error: RackError) => {
    const { stacks } = error.details as { stacks: string[] }
    const names = [`rack-${rack}-app-shop`, `rack-${rack}-ports-shop`]
    assert.deepEqual([error.code, stacks.toSorted()], ['conflict', names])
    return true
  })
  await engine.remove(owner, { volumes: true }, controlFor(60_000))
  await engine.close()
  const template = webTemplate({ rack, number: 2, places, certificate: null })
  const tags = [{ Key: 'rack:name', Value: rack }]
  await ensureStack(stackOptionsOf(account), { name: webStackName(rack, 2), template, tags }, control)
  const kept = await removeStacks(account, { rack, data: false }, control)
  assert.deepEqual(kept.map(({ type }) => type).toSorted(), [
    'AWS::EFS::FileSystem',
    'AWS::KMS::Key',
    'AWS::S3::Bucket',
  ])
  assert.deepEqual(await held(), kept.map(({ type }) => type).toSorted())
  assert.deepEqual(await removeStacks(account, { rack, data: false }, control), [])
  // A cluster that was deleted is told yet.
  await assertNamesFree(account, rack, control)
})
