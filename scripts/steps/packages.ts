import { rmSync } from 'node:fs'
import { access, constants, glob, writeFile } from 'node:fs/promises'
import { say, SetupError, step } from './progress.ts'
import { hasProgram, isRoot, run, succeeds } from './shell.ts'

const policyFile = '/usr/sbin/policy-rc.d'

/** Debian packages by name, with what proves that one is here, whoever installed it. */
const proofs: Record<string, () => Promise<boolean>> = {
  'docker.io': () => hasProgram('dockerd'),
  haproxy: () => hasProgram('haproxy'),
  nftables: () => hasProgram('nft'),
  mmdebstrap: () => hasProgram('mmdebstrap'),
  wrk: () => hasProgram('wrk'),
  'nghttp2-client': () => hasProgram('h2load'),
  'redis-server': () => hasProgram('redis-server'),
  'docker-compose': () => hasProgram('docker-compose'),
  'busybox-static': () => isStatic('/bin/busybox'),
  'docker-registry': () => hasProgram('docker-registry'),
  pebble: async () => (await hasProgram('pebble')) && (await hasProgram('pebble-challtestsrv')),
  'openssh-client': () => hasProgram('ssh-keygen'),
  'openssh-server': () => succeeds(access('/usr/sbin/sshd', constants.X_OK)),
  zstd: () => hasProgram('zstd'),
  'python3-venv': () => succeeds(run('python3', ['-c', 'import ensurepip, venv'])),
  'golang-go': () => hasProgram('go'),
  postgresql: async () => (await Array.fromAsync(glob('/usr/lib/postgresql/*/bin/postgres'))).length > 0,
}

/**
 * Installs those of the named Debian packages that are missing; asks nothing of apt when none is.
 * @throws SetupError naming what to install by hand, where this is not root on Debian or Ubuntu
 */
export async function ensurePackages(names: string[]): Promise<void> {
  const present = await Promise.all(names.map(isHere))
  const missing = names.filter((_, index) => !present[index])
  if (missing.length === 0) return
  const list = missing.join(' ')
  if (!(await hasProgram('apt-get'))) {
    throw new SetupError(
      `missing: ${list}`,
      'Install these with the package manager of this system, then try again',
    )
  }
  if (!isRoot()) {
    throw new SetupError(`missing: ${list}`, `Type: sudo apt-get install --no-install-recommends ${list}`)
  }
  await step(`installing ${list}`, () => install(missing))
}

async function isHere(name: string): Promise<boolean> {
  return (await proofs[name]?.()) ?? false
}

async function install(names: string[]): Promise<void> {
  const options = ['--quiet', '--yes', '-o', 'DPkg::Lock::Timeout=120']
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  // A third party's broken source must not stop the set-up: what matters is whether the packages install.
  await run('apt-get', [...options, 'update'], env).catch((error: SetupError) => say(error.message))
  const undo = await forbidServices()
  try {
    await run('apt-get', [...options, 'install', '--no-install-recommends', ...names], env)
  } finally {
    undo()
  }
}

/** Keeps fresh packages from starting servers on this machine, Debian's way, until the returned function is called. */
async function forbidServices(): Promise<() => void> {
  const wrote = await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
  if (!wrote) return () => {}
  const undo = () => rmSync(policyFile, { force: true })
  process.once('exit', undo)
  return undo
}

async function isStatic(program: string): Promise<boolean> {
  const isThere = await succeeds(access(program, constants.X_OK))
  return isThere && !(await succeeds(run('ldd', [program])))
}
