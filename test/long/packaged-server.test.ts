import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ensureImages } from '../../scripts/steps/images.ts'
import { version } from '../../src/main/version.ts'
import { freePort } from '../support/docker-rack.ts'
import { startLoad } from '../support/load.ts'
import { makePackages } from '../support/packaged.ts'

const execute = promisify(execFile)
const compose = `services:
  web:
    image: busybox:1
    command: sh -c 'echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'
    ports: ["80:8080"]
`

await ensureImages(['debian:bookworm-slim', 'busybox:1'])

test('a server without Node is given the Debian package, deploys, and is updated under load', async () => {
  await using packages = await makePackages()
  const next = await packages.later('0.1.1')
  const shared = await mkdtemp(join(tmpdir(), 'server-'))
  const name = `server-${process.pid}`
  await writeFile(join(shared, 'docker-compose.yml'), compose)
  await using server = await startServer(name, [shared, packages.directory])
  await using _shared = { [Symbol.asyncDispose]: () => rm(shared, { recursive: true, force: true }) }

  assert.equal(await server.run('command -v node || echo none'), 'none')
  await server.run(`dpkg --install ${packages.debian}`)
  assert.equal(await server.run('rack version'), `rack ${version}`)
  assert.match(
    await server.run('man --path rack 2>/dev/null; ls /usr/share/bash-completion/completions/rack'),
    /rack$/,
  )
  const httpPort = await freePort()
  await server.run(`rack install --name ${name} --dir ${shared}/rack --http-port ${httpPort}`)
  try {
    await server.run(`rack deploy --app shop ${shared}`)
    const load = startLoad({ port: httpPort, host: 'shop.localhost', connections: 4, restMs: 5 })
    await server.run(`rack update ${next.debian}`)
    await server.run('rack scale --app shop web=2')
    const seen = await load.stop()
    assert.deepEqual(seen.failures, {})
    assert.ok(seen.requests > 0)
    const { version: now } = JSON.parse(await server.run('rack status --json')) as { version: string }
    assert.equal(now, '0.1.1')
  } finally {
    await server.run('rack uninstall --yes --volumes')
  }
  await server.run('dpkg --remove rack')
  assert.equal(await server.run('ls /usr/lib/rack 2>/dev/null || echo nothing'), 'nothing')
})

/** A system of its own that has what the package depends on, and sees this machine's engine, network and processes. */
async function startServer(name: string, folders: string[]) {
  const dockerfile = [
    'FROM debian:bookworm-slim',
    'RUN apt-get update && apt-get install -y --no-install-recommends docker.io haproxy nftables iproute2',
  ]
  const context = await mkdtemp(join(tmpdir(), 'server-image-'))
  await writeFile(join(context, 'Dockerfile'), dockerfile.join('\n'))
  await execute('docker', ['build', '--tag', name, context])
  await rm(context, { recursive: true })
  const volumes = [...folders, '/var/run/docker.sock'].flatMap((path) => ['--volume', `${path}:${path}`])
  const host = ['--cap-add', 'NET_ADMIN', '--network', 'host', '--pid', 'host']
  await execute('docker', ['run', '--detach', '--name', name, ...host, ...volumes, name, 'sleep', 'infinity'])
  return {
    run: async (line: string) =>
      (await execute('docker', ['exec', '--env', 'HOME=/root', name, 'sh', '-c', line])).stdout.trim(),
    async [Symbol.asyncDispose]() {
      await execute('docker', ['rm', '--force', name])
      await execute('docker', ['rmi', '--force', name])
    },
  }
}
