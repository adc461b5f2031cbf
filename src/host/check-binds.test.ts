import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeInstallation, type MachineInstallation } from './installation.ts'
import { checkBinds } from './check-binds.ts'

async function install() {
  const home = await mkdtemp(join(tmpdir(), 'rack-policy-'))
  const directory = join(home, 'rack')
  await mkdir(directory)
  const installation: MachineInstallation = {
    name: 'test',
    directory,
    socket: { path: join(directory, 'api.sock'), group: null },
    http: { bind: '0.0.0.0', port: 8080 },
    domain: 'localhost',
    pool: { cidr: '10.213.0.0/16', subnetBits: 24 },
    total: { cpuUnits: 1024, memoryBytes: 2 ** 30 },
    socketPath: join(home, 'run/docker.sock'),
    created: '2026-01-01T00:00:00.000Z',
  }
  await writeInstallation(installation)
  return {
    home,
    installation,
    [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }),
  }
}

test('no path leads to the socket of the engine or to the rack itself, through links neither', async () => {
  await using made = await install()
  const { home, installation } = made
  await mkdir(join(home, 'run'))
  await writeFile(installation.socketPath, '')
  await mkdir(join(home, 'srv'))
  await symlink(join(home, 'run'), join(home, 'srv/link'))
  await symlink(installation.directory, join(home, 'srv/self'))
  const check = (path: string, guards: Partial<MachineInstallation> = {}) =>
    checkBinds([join(home, path)], { ...installation, ...guards })
  for (const path of ['', 'run', 'run/docker.sock', 'rack', 'rack/store', 'srv/link', 'srv/self']) {
    await assert.rejects(check(path), { code: 'invalid' }, path)
  }
  // The path of the socket itself may be the link.
  const linked = { socketPath: join(home, 'srv/link/docker.sock') }
  await assert.rejects(check('run', linked), { code: 'invalid', message: /contains Docker Engine's socket/ })
  for (const path of ['elsewhere', 'srv/elsewhere', 'running']) await check(path)
})

test('no path leads to what the engine keeps of all containers, nor to what takes orders for it', async () => {
  await using made = await install()
  const paths = ['/var/lib', '/var/lib/docker', '/var/lib/docker/volumes', '/var/lib/containerd']
  for (const path of [...paths, '/run/containerd', '/run']) {
    await assert.rejects(
      checkBinds([path], made.installation),
      { code: 'invalid', message: /cannot be allowed: it .* Docker Engine's own directory/ },
      path,
    )
  }
  await checkBinds(['/var/lib/shop', '/var/log'], made.installation)
})
