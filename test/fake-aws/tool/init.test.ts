import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { connectDocker } from '../../../src/engines/docker/client.ts'
import { initVariable, type InitOrders } from '../../../src/engines/aws/tool-orders.ts'
import { controlFor, dockerSocket } from '../../support/docker-rack.ts'
import { findGo } from '../../../scripts/bundle/compile-tool.ts'
import { toolImage } from './tool-image.ts'
import { labelOptions } from '../ecs/task-network.ts'

const run = promisify(execFile)

test('the tool passes its own tests', { timeout: 120_000 }, async () => {
  const cwd = join(import.meta.dirname, '../../../src/tool')
  const go = await findGo()
  await run(go, ['vet', '.'], { cwd })
  await run(go, ['test', '.'], { cwd })
})

describe('the tool prepares a task', { timeout: 120_000 }, () => {
  const name = `fake-aws-tool-${randomBytes(4).toString('hex')}`
  let image = ''
  const docker = async (...args: string[]) => (await run('docker', args)).stdout
  before(async () => {
    image = await toolImage(connectDocker({ socketPath: dockerSocket }), controlFor(100_000))
    await docker('run', '-d', '--name', name, ...(await labelOptions(name)), 'busybox:1', 'sleep', '300')
  })
  after(async () => {
    await docker('rm', '-f', '-v', name)
    await docker('volume', 'rm', `${name}-tool`, `${name}-run`)
  })
  const inTask = (...more: string[]) => [
    'run',
    '--rm',
    `--network=container:${name}`,
    '-v',
    `${name}-tool:/.rack`,
    '-v',
    `${name}-run:/run/rack`,
    ...more,
  ]

  test('so that a later container sees names, files and the tool', async () => {
    const orders: InitOrders = {
      search: ['shop.r.internal'],
      options: ['ndots:1'],
      hosts: [{ address: '192.0.2.7', names: ['ledger'] }],
      files: [{ path: 'key', variable: 'FILE_0', mode: 0o400, uid: 1000, gid: 1000 }],
    }
    const env = ['-e', `${initVariable}=${JSON.stringify(orders)}`, '-e', 'FILE_0=c2VjcmV0']
    await docker(...inTask(...env, image))
    const look =
      'cat /etc/resolv.conf /etc/hosts; stat -c "%a %u" /run/rack/key; cat /run/rack/key; ls /.rack'
    const seen = await docker(...inTask('--user=1000', '--read-only', 'busybox:1', 'sh', '-c', look))
    assert.match(seen, /^search shop\.r\.internal$/m)
    assert.match(seen, /ndots:1/)
    assert.match(seen, /^192\.0\.2\.7 ledger/m)
    assert.match(seen, /^400 1000\nsecretrack$/m)
  })

  test('and says so where it cannot', async () => {
    const failing = docker(...inTask('-e', `${initVariable}={}`, '--user=1000', image))
    await assert.rejects(failing, /rack: the tool could not be copied to \/\.rack\/rack: .*permission denied/)
  })
})
