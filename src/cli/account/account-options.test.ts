import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { Options } from '../options.ts'
import type { Session } from '../session.ts'
import { checkDaemonPlace, readAccountOptions } from './account-options.ts'

const region = 'eu-west-1'
const acm = (region: string) => `arn:aws:acm:${region}:123456789012:certificate/0a1b-2c3d`
const read = async (values: Record<string, unknown>) => {
  const options = new Options({ daemonFrom: ['10.9.8.7/32'], ...values })
  const world = { env: { HOME: '/home/anna' }, cwd: '/home/anna' } as unknown as Session['world']
  return await readAccountOptions({ options, world } as Session)
}

test('what is not said has defaults; a network of yours is taken as it is', async () => {
  const { name, domain, total, stacks } = await read({ region })
  assert.deepEqual([name, domain], ['rack', 'rack.internal'])
  assert.deepEqual(total, { cpuUnits: 8192, memoryBytes: 16 * 2 ** 30 })
  assert.deepEqual(stacks, {
    rack: 'rack',
    network: { kind: 'own', nat: false },
    daemonFrom: ['10.9.8.7/32'],
    networkBalancer: false,
    images: null,
  })
  const given = await read({
    region,
    vpc: 'vpc-0a',
    subnets: 'subnet-0a, subnet-0b',
    private: true,
    ports: true,
    certificate: acm(region),
    domain: 'apps.example.com',
    daemonFrom: ['10.0.0.0/8,10.1.0.0/16', '192.168.0.0/24'],
    permissionsBoundary: 'arn:aws:iam::123456789012:policy/Bounds',
  })
  const subnets = ['subnet-0a', 'subnet-0b']
  assert.deepEqual(given.stacks, {
    rack: 'rack',
    network: { kind: 'given', vpc: 'vpc-0a', subnets, balancerSubnets: subnets, assignsPublicIp: false },
    daemonFrom: ['10.0.0.0/8', '10.1.0.0/16', '192.168.0.0/24'],
    networkBalancer: true,
    images: null,
    certificate: acm(region),
    permissionsBoundary: 'arn:aws:iam::123456789012:policy/Bounds',
  })
})

test('an address of this machine is found where no range is given', async () => {
  const { stacks } = await read({ region, daemonFrom: undefined })
  assert.match(stacks.daemonFrom.join(), /^\d+\.\d+\.\d+\.\d+\/32$/)
})

test('what cannot be meant is refused with its flag', async () => {
  const rows: [Record<string, unknown>, RegExp][] = [
    [{ region: 'Dublin' }, /"Dublin" is no Region/],
    [{ httpPort: '80' }, /^--http-port is of a rack on one machine/],
    [{ apiByHttps: 'yes' }, /^--api-by-https is of/],
    [{ subnets: 'subnet-0a' }, /^--subnets needs two or more/],
    [{ subnets: 'subnet-0a,subnet-0a' }, /^--subnets needs two or more/],
    [{ subnets: 'subnet-0a,mine' }, /^--subnets: "mine" is not the id of a subnet/],
    [{ subnets: 'subnet-0a,subnet-0b' }, /^--subnets is of a network of yours/],
    [{ vpc: 'vpc-0a' }, /^--vpc needs --subnets too/],
    [{ vpc: 'mine' }, /^--vpc: "mine" is not the id of a VPC/],
    [{ vpc: 'vpc-0a', nat: true }, /^--nat is of a network of its own/],
    [{ private: true }, /^--private is of a network of yours/],
    [{ daemonFrom: ['here'] }, /^--daemon-from: "here" is not a range/],
    [{ permissionsBoundary: 'x' }, /^--permissions-boundary: "x" is not the ARN/],
    [{ certificate: 'x', domain: 'a.b' }, /^--certificate: "x" is not the ARN/],
    [{ certificate: acm('us-east-1'), domain: 'a.b' }, /is not of eu-west-1/],
    [{ certificate: acm(region) }, /^--certificate needs --domain/],
    [{ name: 'A' }, /"A" cannot be a rack's name/],
    [{ name: 'shop-ports' }, /^a rack in an account cannot be called "shop-ports"/],
    [{ name: 'shop-app-web' }, /^a rack in an account cannot be called/],
    [{ domain: '.x' }, /"\.x" cannot be a domain/],
    [{ cpu: 'many' }, /^--cpu: "many"/],
  ]
  for (const [values, message] of rows) {
    await assert.rejects(read({ region, ...values }), (error) => {
      assert.ok(error instanceof RackError)
      assert.match(error.message, message)
      return ['usage', 'invalid'].includes(error.code)
    })
  }
})

test('the daemon is here, or nowhere', () => {
  const at = (daemon?: string) => checkDaemonPlace({ options: new Options({ daemon }) })
  at('here')
  assert.throws(() => at(), { code: 'unsupported' })
  assert.throws(() => at('there'), { code: 'usage' })
})
