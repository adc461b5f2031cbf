import assert from 'node:assert/strict'
import { chmod, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { MadeToken } from '../../src/domain/token.ts'
import { freePort, installRack } from '../support/installed-rack.ts'
import { needsRoot } from '../support/other-user.ts'
import { passed, startSshServer } from '../support/ssh-server.ts'

const bytes = 500 * 2 ** 20
const compose =
  'services:\n  web:\n    image: busybox:1\n    command: sleep 3600\n    volumes: ["./large:/large:ro"]\n'

test('uploads of 500 MB by ssh, by https and on the machine itself', { skip: needsRoot }, async () => {
  await using laptop = await startSshServer()
  const httpsPort = await freePort()
  await using rack = await installRack(['--api-group', laptop.user, '--https-port', String(httpsPort)])
  await chmod(dirname(rack.directory), 0o711)
  const { socket } = await rack.json<{ socket: string }>('status')
  const { fingerprint } = await rack.json<{ fingerprint: string }>('certs', 'ca')
  const { token } = await rack.json<MadeToken>('tokens', 'create', 'laptop', '--role', 'deploy')
  await writeFile(
    join(laptop.home, '.ssh/known_hosts'),
    `[127.0.0.1]:${laptop.port} ${await readFile(join(laptop.home, 'server/key.pub'), 'utf8')}`,
  )
  const input = token
  await passed(laptop.rack(['login', `ssh://rackhost${socket}`, '--name', 'ssh', '--token-stdin'], { input }))
  const byHttps = ['login', `https://localhost:${httpsPort}`, '--name', 'https', '--fingerprint', fingerprint]
  await passed(laptop.rack([...byHttps, '--token-stdin'], { input }))
  for (const way of ['ssh', 'https', 'socket']) {
    const folder = join(laptop.home, way)
    await mkdir(join(folder, 'large'), { recursive: true })
    await writeFile(join(folder, 'docker-compose.yml'), compose)
    {
      await using file = await open(join(folder, 'large/file'), 'w')
      // Another one each time: what the rack has is not sent again.
      await file.write(way)
      await file.truncate(bytes)
    }
    const words = ['build', folder, '--app', `shop-${way}`]
    if (way === 'socket') await rack.run(...words)
    else await passed(laptop.rack([...words, '--rack', way], { timeoutMs: 600_000 }))
    const builds = await rack.json<{ status: string }[]>('builds', '--app', `shop-${way}`)
    assert.equal(builds[0]?.status, 'complete', way)
  }
})
