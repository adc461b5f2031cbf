import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { describeRun } from '../account/describe-run.ts'
import { openAccountRack, removeAccountRack } from '../account/account-rack.ts'
import { readSettings, type AccountSettings } from '../account/settings.ts'
import { engineContract, type EngineHarness } from '../contract/engine.ts'
import { IAM } from '@aws-sdk/client-iam'
import { KMS } from '@aws-sdk/client-kms'
import { createClients } from '../../src/aws/clients.ts'
import { intervalsAt } from '../../src/engines/aws/intervals-at.ts'
import { startFakeAws, type FakeAws } from '../fake-aws/start-fake-aws.ts'
import { shellCommand } from '../support/behaviour.ts'
import { controlFor, freePort } from '../support/docker-rack.ts'
import { holdLocally, visitLocally } from '../support/visits.ts'

/** The way of `npm run test:aws` through a fake account: what an account would be made, run and taken away by. */
const own = { addresses: ['10.0.0.7'], random: 'abc123' }
const given = {
  RACK_AWS_TEST_REGION: 'eu-west-1',
  RACK_AWS_TEST_VPC: 'vpc-0123456789abcdef0',
  RACK_AWS_TEST_SUBNETS: 'subnet-0123456789abcdef1,subnet-0123456789abcdef2',
}

test('a run in an account is chosen by variables, and says what it would make', () => {
  const { settings, problems } = readSettings({ ...given, RACK_AWS_TEST_ONLY: 'one; two' }, own)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    [settings?.rack, settings?.timeoutMs, settings?.daemonFrom, settings?.only],
    ['rt-abc123', 7_200_000, ['10.0.0.7/32'], ['one', 'two']],
  )
  const said = describeRun(settings!).join('\n')
  for (const each of ['rack-rt-abc123-base', 'AWS::EFS::FileSystem', '120 minutes', '--clean rt-abc123'])
    assert.ok(said.includes(each), each)
})

test('every variable that is missing or wrong is told, and no rack but one of a test is named', async () => {
  const wrong = { RACK_AWS_TEST_NAME: 'production', RACK_AWS_TEST_MINUTES: '900' }
  const { settings, problems } = readSettings(wrong, { addresses: [], random: 'x' })
  assert.equal(settings, null)
  assert.equal(problems.length, 7, problems.join('\n'))
  assert.match(problems.join('\n'), /RACK_AWS_TEST_NAME must be "rt-" and up to ten letters/)
  await assert.rejects(removeAccountRack({} as never, 'production', controlFor(1000)), /no rack of a test/)
})

const factor = 100
let account: FakeAws | null = null

const settings: AccountSettings = {
  region: 'eu-test-1',
  rack: `rt-${randomBytes(4).toString('hex')}`,
  network: { kind: 'own', nat: false },
  daemonFrom: ['127.0.0.1/32'],
  timeoutMs: 120_000,
  only: [
    'a deploy starts as many copies as the plan says, and they run',
    'a host name leads to the copies of its type, after a deploy to the new ones alone',
    'an external tcp port leads to the copies of its type, after a deploy to the new ones',
    'exec gives input, output and exit code; an unknown process is not found',
    'a build gives each type an image with its configuration, and the image runs',
  ],
}

async function open(): Promise<EngineHarness> {
  const { rack } = settings
  account = await startFakeAws({ rack, factor, isEmpty: true, listenOn: (port) => (port === 80 ? 0 : port) })
  const clients = createClients(account.access())
  const keys = new KMS(account.access())
  const roles = new IAM(account.access())
  const opened = await openAccountRack(
    { clients, keys, roles, intervalMs: 50, intervals: intervalsAt(factor) },
    settings,
    controlFor(120_000),
  )
  return {
    engine: opened.engine,
    rack,
    image: opened.image,
    command: shellCommand,
    visit: visitLocally(account.loopbackPort('web', 80)),
    hold: holdLocally,
    slowness: 2,
    externalPort: openPort,
    close: async () => {
      const kept = await opened.close(controlFor(60_000))
      assert.deepEqual(
        kept.map(({ type }) => type),
        ['AWS::KMS::Key'],
      )
      // Whoever cleans up once more finds nothing.
      assert.deepEqual(
        await removeAccountRack({ clients, keys, roles, intervalMs: 50 }, rack, controlFor(30_000)),
        [],
      )
      clients.close()
      keys.destroy()
      roles.destroy()
    },
  }
}

engineContract('account, faked', open, { only: settings.only! })

after(async () => {
  const { troubles } = account!
  await account?.close()
  assert.deepEqual(troubles, [])
})

/** Ports above are those of listeners that wait. */
async function openPort(): Promise<number> {
  const port = await freePort()
  return port < 60_000 ? port : await openPort()
}
