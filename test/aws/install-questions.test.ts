import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createFakeAccount } from '../fake-aws/account.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { type FakeServer, startServer } from '../fake-aws/server.ts'
import { createCertificates } from '../fake-aws/small/certificates.ts'
import { createIdentity } from '../fake-aws/small/identity.ts'
import { createPermissions } from '../fake-aws/small/permissions.ts'
import { createPrices } from '../fake-aws/small/prices.ts'
import { rack, type Said } from '../support/command-line.ts'

/** `rack install aws` up to its first change, as it is typed. Any call that changes something would be refused here. */
const account = await createFakeAccount()
const permissions = createPermissions(account)
const certificates = await createCertificates(account, () => null)
const home = await mkdtemp(join(tmpdir(), 'rack-install-aws-'))
let server: FakeServer
let env: NodeJS.ProcessEnv

before(async () => {
  const services = [createIdentity(account), permissions.service, createPrices(account), certificates.service]
  server = await startServer({ ...account, services })
  env = {
    PATH: process.env.PATH,
    HOME: home,
    XDG_CONFIG_HOME: join(home, 'config'),
    XDG_DATA_HOME: join(home, 'data'),
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ACCESS_KEY_ID: 'ANNA',
    AWS_SECRET_ACCESS_KEY: 'fake',
  }
})
beforeEach(() => server.faults.clear())
after(async () => {
  await server.close()
  account.clock.close()
  await rm(account.directory, { recursive: true })
  await rm(home, { recursive: true })
  assert.deepEqual(account.troubles, [])
  assert.deepEqual(server.calls.refused, [])
})

const region = 'eu-test-1'
const install = async (args: string[], more: NodeJS.ProcessEnv = {}): Promise<Said> =>
  await rack(['install', 'aws', ...args], { env: { ...env, ...more } })

test('the plan shows every resource and an estimate, and leaves nothing', async () => {
  const { code, stdout, stderr } = await install(['--region', region, '--name', 'shop', '--plan'])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^account 123456789012 as user\/ANNA, in eu-test-1$/m)
  for (const line of [
    /^rack-shop-base$/m,
    /^ {2}Vpc +AWS::EC2::VPC$/m,
    /^ {2}FileSystem +AWS::EFS::FileSystem$/m,
    /^rack-shop$/m,
    /^ {2}Cluster +AWS::ECS::Cluster$/m,
    // The fake's own prices: 2 an hour, 0.5 an hour each, 5 a month each.
    /^application load balancer +1 +2 an hour +1460\.00$/m,
    /^public IPv4 address +3 +0\.5 an hour +1095\.00$/m,
    /^hosted zone +2 +5 a month +10\.00$/m,
    /^PostgreSQL database db\.t4g\.micro of RDS +1 +0\.75 an hour +547\.50$/m,
    /^together 3315\.25 USD in 730 hours$/m,
    /^an estimate: list prices of eu-test-1 on \d{4}-\d\d-\d\d, published 2026-11-01, without tax/m,
    /^billed by use.*a vCPU on Fargate 0\.25 an hour/m,
  ])
    assert.match(stdout, line)
  assert.deepEqual(await readdir(home), [])
})

test('a network of yours costs what it costs anyway; gateways and a second balancer are counted', async () => {
  const given = ['--vpc', 'vpc-0a', '--subnets', 'subnet-0a,subnet-0b,subnet-0c']
  const own = await install(['--region', region, '--plan', '--json', '--nat', '--ports'])
  const counts = ({ stdout }: Said) => {
    const { estimate, stacks } = JSON.parse(stdout) as {
      estimate: { lines: { of: string; count: number }[] }
      stacks: { resources: { type: string }[] }[]
    }
    const types = stacks.flatMap(({ resources }) => resources.map(({ type }) => type))
    return { types, ...Object.fromEntries(estimate.lines.map(({ of, count }) => [of, count])) }
  }
  const { types: _types, ...withNat } = counts(own)
  const balancers = { 'application-balancer': 1, 'network-balancer': 1 }
  // The daemon's own: its store, and half a CPU and a GiB of Fargate.
  const store = { 'database postgres db.t4g.micro': 1, 'database-disk postgres': 20, secret: 2 }
  const daemon = { ...store, 'fargate-cpu': 0.5, 'fargate-memory': 1 }
  assert.deepEqual(withNat, { nat: 2, address: 6, key: 1, zone: 2, ...balancers, ...daemon })
  const { types, ...inTheirs } = counts(await install(['--region', region, '--plan', '--json', ...given]))
  assert.deepEqual(inTheirs, { key: 1, zone: 2, 'application-balancer': 1, address: 4, ...daemon })
  assert.ok(!types.includes('AWS::EC2::VPC'))
})

test('where prices cannot be had, the plan says so and names no figure', async () => {
  server.faults.set('pricing:GetProducts', { error: new AwsError('AccessDeniedException', 'not you') })
  const { code, stdout } = await install(['--region', region, '--plan'])
  assert.equal(code, 0)
  assert.match(stdout, /^public IPv4 address +3 +– +–$/m)
  assert.match(stdout, /^no estimate, quantities alone; the price list could not be read: .*not you/m)
  assert.doesNotMatch(stdout, /USD|together/)
})

test('no credentials, old ones, a wrong Region: each says what to type', async () => {
  const nobody = await install(['--region', region, '--plan'], {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
  })
  assert.equal(nobody.code, 1)
  assert.match(nobody.stderr, /^error: there are no credentials of an AWS account here\n→ .*aws sso login/m)
  server.faults.set('sts:GetCallerIdentity', { error: new AwsError('ExpiredToken', 'old', 403) })
  const expired = await install(['--region', region, '--plan'])
  assert.match(expired.stderr, /^error: the credentials of the account have expired\n→ .*aws sso login/m)
  const rows: [string[], RegExp][] = [
    [[], /^error: a rack in an account needs the Region/],
    [['--region', region, '--http-port', '80'], /^error: --http-port is of a rack on one machine/],
    [
      ['--region', region, '--node-image', '127.0.0.1:1/node:24'],
      /^error: the image 127\.0\.0\.1:1\/node:24 cannot be had: .*\n→ .*Another: --node-image IMAGE/,
    ],
  ]
  for (const [args, message] of rows) {
    const { code, stderr } = await install(args)
    assert.notEqual(code, 0)
    assert.match(stderr, message)
  }
})

test('the policy is printed without credentials; missing permissions are named before anything is made', async () => {
  const { code, stdout } = await install(['--policy', '--region', region, '--name', 'shop'], {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  })
  assert.equal(code, 0)
  const policy = JSON.parse(stdout) as Parameters<typeof permissions.give>[1]
  permissions.give('BOB', policy)
  const bob = await install(['--region', region, '--name', 'shop', '--plan'], { AWS_ACCESS_KEY_ID: 'BOB' })
  assert.equal(bob.code, 0, bob.stderr)
  const without = policy.Statement.filter(({ Action }) => !Action.includes('kms:CreateKey'))
  permissions.give('CLEO', { Statement: without })
  const cleo = await install(['--region', region, '--name', 'shop', '--daemon', 'here', '--yes'], {
    AWS_ACCESS_KEY_ID: 'CLEO',
  })
  assert.equal(cleo.code, 1)
  assert.match(cleo.stderr, /^error: user\/CLEO of the account 123456789012 lacks permissions/m)
  assert.match(cleo.stderr, /^ {2}kms:CreateKey$/m)
  assert.match(cleo.stderr, /--policy --region eu-test-1 --name shop/)
  server.faults.set('iam:SimulatePrincipalPolicy', { error: new AwsError('AccessDenied', 'ask not', 403) })
  const unknown = await install(['--region', region, '--plan'])
  assert.equal(unknown.code, 0)
  assert.match(unknown.stderr, /whether user\/ANNA may do all of it is not known: .*ask not/)
})

test('a certificate is looked at first: that it is issued, and of all apps of the domain', async () => {
  const withIt = (arn: string, domain = 'apps.example.com') =>
    install(['--region', region, '--plan', '--domain', domain, '--certificate', arn])
  const arn = await certificates.add(['apps.example.com', '*.apps.example.com'])
  const plan = await withIt(arn)
  assert.equal(plan.code, 0, plan.stderr)
  assert.match(plan.stdout, /^ {2}HttpsListener +AWS::ElasticLoadBalancingV2::Listener$/m)
  const other = await withIt(arn, 'example.com')
  assert.match(
    other.stderr,
    /^error: the certificate \S+ is of apps\.example\.com, \*\.apps\.example\.com, and not of \*\.example\.com/,
  )
  const none = await withIt(`${arn.slice(0, -4)}0000`)
  assert.match(
    none.stderr,
    /^error: there is no certificate \S+ in the account\n→ .*aws acm list-certificates/m,
  )
})
