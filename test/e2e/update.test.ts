import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { version } from '../../src/main/version.ts'
import { installRack } from '../support/installed-rack.ts'
import { startLoad } from '../support/load.ts'
import { makePackages } from '../support/packaged.ts'
import { makeSource } from '../support/source.ts'

const execute = promisify(execFile)

const files = {
  'docker-compose.yml': 'services:\n  web: { build: ., ports: ["80:3000"], environment: [GREETING] }\n',
  Dockerfile: 'FROM node:24-slim\nCOPY program.js /program.js\nCMD ["node", "/program.js"]\n',
  'program.js': `require('node:http').createServer((_, answer) => answer.end(process.env.GREETING)).listen(3000)
    process.on('SIGTERM', () => process.exit())\n`,
}

test('a later version takes over under load without a lost request, and a broken one gives the rack back', async () => {
  await using packages = await makePackages()
  const next = await packages.later('0.1.1')
  const broken = await packages.later('0.1.2', { isBroken: true })
  // Its daemon runs from there until it is uninstalled.
  const home = await mkdtemp(join(tmpdir(), 'versions-'))
  await using _home = { [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) }
  await using rack = await installRack()
  await using source = await makeSource(files)
  const versions = join(home, 'lib')
  /** A machine without Node: what is on its PATH cannot help. */
  const env = { ...rack.env, PATH: await pathWithoutNode(home) }
  const packaged = async (...args: string[]) =>
    await execute(join(versions, 'current/bin/rack'), args, { env }).catch(
      (error: unknown) => error as Failure,
    )
  const status = async () => JSON.parse((await packaged('status', '--json')).stdout) as Status

  await execute('tar', ['-xzf', packages.archive, '-C', home])
  const installed = await execute(join(home, `rack-${version}/install`), [versions], { env })
  assert.match(installed.stderr, /runs from \S+, and is left alone/, 'a clone is nobody else’s to take over')
  assert.equal(await readlink(join(versions, 'current')), version)

  await rack.run('apps', 'create', 'shop')
  await rack.run('env', 'set', '--app', 'shop', 'GREETING=hello')
  await rack.run('deploy', '--app', 'shop', source.path)
  const before = await status()
  const load = startLoad({ port: rack.httpPort, host: 'shop.localhost', connections: 4, restMs: 5 })

  await packaged('update', '--rack', rack.name)
  const own = await status()
  assert.equal(
    await programOf(own),
    await realNode(versions, version),
    'the package has taken over from the clone',
  )

  await packaged('update', next.archive)
  const later = await status()
  assert.deepEqual([later.status, later.version], ['running', '0.1.1'])
  assert.equal(later.router.pid, before.router.pid, 'the router ran on')
  assert.ok((await stat(join(rack.directory, 'before-update/store'))).isDirectory())

  const failure = await packaged('update', broken.archive)
  assert.ok('code' in failure && failure.code === 1, 'a version that does not start is told of')
  assert.match(
    failure.stderr,
    /was not updated[\s\S]*this version is broken[\s\S]*runs with the version before/,
  )
  assert.deepEqual([(await status()).version, await readlink(join(versions, 'current'))], ['0.1.1', '0.1.1'])
  assert.deepEqual(await visibleIn(versions), ['0.1.1', version, 'current'].toSorted())

  await rack.run('env', 'set', '--app', 'shop', '--promote', 'GREETING=again')
  const seen = await load.stop()
  assert.deepEqual(seen.failures, {})
  assert.ok(seen.bodies['hello']! > 0 && seen.bodies['again']! > 0)
  await rack.run('audit', 'verify')
})

interface Status {
  status: string
  version: string
  daemon: { pid: number }
  router: { pid: number }
}

interface Failure {
  code: number
  stdout: string
  stderr: string
}

const programOf = async ({ daemon }: Status) => await readlink(`/proc/${daemon.pid}/exe`)
const realNode = async (versions: string, name: string) => join(versions, name, 'bin/node')
const visibleIn = async (folder: string) =>
  (await readdir(folder)).filter((name) => !name.startsWith('.')).toSorted()

/** What a small system has, and no Node. */
async function pathWithoutNode(home: string): Promise<string> {
  const folder = join(home, 'path')
  await mkdir(folder)
  const { stdout } = await execute('sh', ['-c', 'for one in /usr/sbin/* /usr/bin/*; do echo "$one"; done'])
  const programs = stdout
    .trim()
    .split('\n')
    .filter((path) => !/\/(node|nodejs|npm|npx)$/.test(path))
  await execute('sh', ['-c', 'ln -sft "$0" "$@"', folder, ...programs])
  return folder
}
