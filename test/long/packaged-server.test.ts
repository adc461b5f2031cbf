import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ensureImages } from '../../scripts/steps/images.ts'
import { until } from '../../src/lib/poll.ts'
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

test('systemd starts a rack at boot, and its daemon again when it was killed', async () => {
  await using packages = await makePackages()
  const shared = await mkdtemp(join(tmpdir(), 'booted-'))
  const name = `booted-${process.pid}`
  await writeFile(join(shared, 'docker-compose.yml'), compose)
  await using server = await bootServer(name, [shared, packages.directory])
  await using _shared = { [Symbol.asyncDispose]: () => rm(shared, { recursive: true, force: true }) }
  await server.run(`dpkg --install ${packages.debian}`)
  const httpPort = await freePort()
  const installed = `rack install --name ${name} --dir ${shared}/rack --http-port ${httpPort}`
  await server.run(installed)
  try {
    assert.equal(
      await server.run(`systemctl is-enabled rack-${name} rack-${name}-router rack-${name}-names`),
      'enabled\nenabled\nenabled',
    )
    assert.equal(await server.run(`systemctl is-active rack-${name}`), 'active')
    await server.run(`rack deploy --app shop ${shared}`)
    const load = startLoad({ port: httpPort, host: 'shop.localhost', connections: 2, restMs: 5 })
    const before = await pidOf(server)
    await server.run(`kill -KILL ${before}`)
    const isBack = async () => ![null, before].includes(await pidOf(server))
    await until(isBack, { deadlineMs: 60_000, intervalMs: 200, what: 'systemd to start the daemon again' })
    await server.run('rack scale --app shop web=2')
    assert.deepEqual((await load.stop()).failures, {}, 'the router served on')

    await server.boot()
    const isThere = async () => (await pidOf(server)) !== null
    await until(isThere, { deadlineMs: 60_000, intervalMs: 200, what: 'the rack to be started at boot' })
    await server.run('rack start')
    assert.match(
      await server.run(`curl --silent --header 'Host: shop.localhost' http://localhost:${httpPort}/`),
      /hello/,
    )
  } finally {
    await server.run('rack uninstall --yes --volumes')
  }
  assert.equal(await server.run(`ls /etc/systemd/system/rack-* 2>/dev/null || echo nothing`), 'nothing')
})

async function pidOf(server: Server): Promise<number | null> {
  const status = await server.run('rack status --json')
  return (JSON.parse(status) as { daemon: { pid: number | null } }).daemon.pid
}

interface Server extends AsyncDisposable {
  run(line: string): Promise<string>
}

const packagesOfServer = 'docker.io haproxy nftables iproute2'

/** A system of its own that has what the package depends on, and sees this machine's engine, network and processes. */
async function startServer(name: string, folders: string[]): Promise<Server> {
  const steps = [`RUN apt-get update && apt-get install -y --no-install-recommends ${packagesOfServer}`]
  const options = ['--cap-add', 'NET_ADMIN', '--network', 'host', '--pid', 'host', ...mounts(folders)]
  return await runServer(name, { steps, options, command: ['sleep', 'infinity'] })
}

/** The same with systemd as its first process, which starts nothing but what the machine under it has no part in. */
async function bootServer(name: string, folders: string[]): Promise<Server & { boot(): Promise<void> }> {
  const steps = [
    `RUN apt-get update && apt-get install -y --no-install-recommends systemd systemd-sysv curl ${packagesOfServer}`,
    // The engine is this machine's, and so are the settings of its kernel.
    `RUN systemctl mask docker.service docker.socket containerd.service haproxy.service nftables.service systemd-sysctl.service systemd-modules-load.service systemd-udevd.service systemd-logind.service systemd-remount-fs.service systemd-random-seed.service systemd-tmpfiles-setup-dev.service getty.target`,
    'ENV container=docker',
    'STOPSIGNAL SIGRTMIN+3',
  ]
  const rights = ['--cap-add', 'NET_ADMIN', '--cap-add', 'SYS_ADMIN']
  const security = ['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined']
  const memory = ['--tmpfs', '/run', '--tmpfs', '/run/lock', '--tmpfs', '/tmp:exec']
  const options = [
    ...rights,
    ...security,
    ...memory,
    '--network',
    'host',
    '--cgroupns',
    'private',
    ...mounts(folders),
  ]
  const server = await runServer(name, { steps, options, command: ['/sbin/init'] })
  const isBooted = async () =>
    /^(running|degraded)$/.test(await server.run('systemctl is-system-running || true'))
  const booted = async () =>
    await until(isBooted, { deadlineMs: 60_000, intervalMs: 200, what: 'systemd to have booted' })
  await booted()
  return {
    ...server,
    async boot() {
      await execute('docker', ['restart', name])
      await booted()
    },
  }
}

const mounts = (folders: string[]) =>
  [...folders, '/var/run/docker.sock'].flatMap((path) => ['--volume', `${path}:${path}`])

interface ServerImage {
  /** Lines of the Dockerfile. */
  steps: string[]
  /** Of `docker run`. */
  options: string[]
  command: string[]
}

async function runServer(name: string, { steps, options, command }: ServerImage): Promise<Server> {
  const context = await mkdtemp(join(tmpdir(), 'server-image-'))
  await writeFile(join(context, 'Dockerfile'), ['FROM debian:bookworm-slim', ...steps].join('\n'))
  await execute('docker', ['build', '--tag', name, context])
  await rm(context, { recursive: true })
  await execute('docker', ['run', '--detach', '--name', name, ...options, name, ...command])
  return {
    run: async (line: string) =>
      (await execute('docker', ['exec', '--env', 'HOME=/root', name, 'sh', '-c', line])).stdout.trim(),
    async [Symbol.asyncDispose]() {
      await execute('docker', ['rm', '--force', name])
      await execute('docker', ['rmi', '--force', name])
    },
  }
}
