import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import { Options } from '../options.ts'
import type { Session } from '../session.ts'
import { readAccountOptions } from './account-options.ts'

const region = 'eu-west-1'
const acm = (region: string) => `arn:aws:acm:${region}:123456789012:certificate/0a1b-2c3d`
const read = async (values: Record<string, unknown>) => {
  const options = new Options({ daemon: 'here', daemonFrom: ['10.9.8.7/32'], ...values })
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
    [{ name: 'shop--two' }, /^a rack in an account cannot be called "shop--two"/],
    [{ name: 'shop-' }, /^a rack in an account cannot be called/],
    [{ name: 'shop-ports' }, /^a rack in an account cannot be called "shop-ports"/],
    [{ name: 'shop-web-2' }, /^a rack in an account cannot be called/],
    [{ name: 'shop-ports-web' }, /^a rack in an account cannot be called/],
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

const inside = { daemon: undefined, daemonFrom: undefined }

test('the daemon is in the account unless it is to be here', async () => {
  const { stacks } = await read({ region, ...inside })
  assert.deepEqual([stacks.inside, stacks.daemonFrom], [{ allow: [] }, []])
  const chosen = await read({
    region,
    ...inside,
    apiAllow: ['192.0.2.0/24, 198.51.100.7/32', '203.0.113.1/32'],
    nodeImage: 'registry.example.com/node:24',
    domain: 'apps.example.com',
  })
  assert.deepEqual(chosen.stacks.inside, {
    allow: ['192.0.2.0/24', '198.51.100.7/32', '203.0.113.1/32'],
    domain: 'apps.example.com',
    nodeImage: 'registry.example.com/node:24',
  })
  const rows: [Record<string, unknown>, RegExp][] = [
    [{ ...inside, daemon: 'there' }, /^--daemon: "there" is not a place/],
    [{ ...inside, dir: '/tmp/x' }, /^--dir is of a daemon on this machine/],
    [{ daemon: undefined }, /^--daemon-from is of a daemon on this machine/],
    [{ apiAllow: ['192.0.2.0/24'] }, /^--api-allow is of a daemon in the account/],
    [{ nodeImage: 'node:24' }, /^--node-image is of a daemon in the account/],
    [{ ...inside, apiAllow: ['anywhere'] }, /^--api-allow: "anywhere" is not a range/],
    [
      { ...inside, apiAllow: ['10.0.0.1/32,10.0.0.2/32,10.0.0.3/32,10.0.0.4/32,10.0.0.5/32'] },
      /takes 4 ranges/,
    ],
  ]
  for (const [values, message] of rows)
    await assert.rejects(read({ region, ...values }), { code: 'usage', message })
})
