import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AwsPlaces } from '../domain/aws-places.ts'
import {
  balancerUrls,
  installationPaths,
  isOnMachine,
  onMachine,
  readInstallation,
  writeInstallation,
  type AwsInstallation,
} from './installation.ts'

const places: AwsPlaces = {
  region: 'eu-west-1',
  account: '123456789012',
  cluster: 'shop',
  vpc: 'vpc-0123456789abcdef0',
  subnets: ['subnet-0123456789abcdef0'],
  balancerSubnets: ['subnet-1', 'subnet-2'],
  securityGroups: { processes: 'sg-1', balancers: 'sg-2', daemon: 'sg-3', web: 'sg-w', ports: 'sg-p' },
  assignsPublicIp: true,
  zone: 'Z1',
  namespace: 'ns-1',
  balancer: { arn: 'arn:web', host: 'web.example.com', listeners: { http: 'arn:http', https: null } },
  networkBalancer: null,
  fileSystem: 'fs-1',
  bucket: 'rack-shop',
  buildProject: null,
  toolImage: 'tool@sha256:0',
}

const inAccount = (directory: string): AwsInstallation => ({
  engine: 'aws',
  name: 'shop',
  directory,
  socket: { path: join(directory, 'api.sock'), group: null },
  domain: 'apps.example.com',
  total: { cpuUnits: 4096, memoryBytes: 2 ** 33 },
  places,
  created: '2026-11-23T10:00:00Z',
})

test('a rack in an account is written and read as it is, and is none of a machine', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-installation-'))
  const written = inAccount(folder.path)
  await writeInstallation(written)
  const read = await readInstallation(folder.path)
  assert.deepEqual(read, written)
  assert.ok(!isOnMachine(read))
  assert.throws(() => onMachine(read, 'rack restore'), {
    code: 'unsupported',
    message:
      'rack restore is for a rack on one machine, and the processes of shop run in the AWS account 123456789012',
  })
  assert.deepEqual(balancerUrls(read.places), { http: 'http://web.example.com', https: null })
})

test('a file of an earlier version is of a rack on one machine, and one of an engine to come is refused', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-installation-'))
  const { configuration } = installationPaths(folder.path)
  const { engine: _engine, places: _places, socket: _socket, ...rest } = inAccount(folder.path)
  const earlier = { ...rest, http: { bind: '0.0.0.0', port: 80 }, socketPath: '/run/docker.sock' }
  await writeFile(configuration, JSON.stringify(earlier))
  const read = await readInstallation(folder.path)
  assert.ok(isOnMachine(read))
  assert.equal(onMachine(read, 'all of it').socketPath, '/run/docker.sock')
  await writeFile(configuration, JSON.stringify({ ...earlier, engine: 'moon' }))
  await assert.rejects(readInstallation(folder.path), { code: 'unsupported' })
  assert.match(await readFile(configuration, 'utf8'), /moon/)
})
