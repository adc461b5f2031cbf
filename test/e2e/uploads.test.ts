import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readProcess } from '../../src/lib/files.ts'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const sourceBytes = 600 * 2 ** 20
const largestMemoryKiB = 300 * 1024

let rack: InstalledRack

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
  const path = join(rack.directory, 'rack.json')
  const installation = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...installation, limits: { sourceBytes } }))
  await rack.run('stop')
  await rack.run('start')
})
after(() => rack[Symbol.asyncDispose]())

const compose = 'services:\n  web:\n    build: .\n    command: sleep 600\n    stop_grace_period: 1s\n'
const files = { 'docker-compose.yml': compose, Dockerfile: 'FROM busybox:1\nCOPY . /src\n' }
const deploy = (app: string, path: string) => rack.start(['deploy', '--app', app, path])
const inside = async (app: string, script: string) =>
  await rack.run('exec', 'web', '--app', app, '--', 'sh', '-c', script)

test('what is sent keeps modes, links and names; what is ignored or secret stays here', async () => {
  await using source = await makeSource({
    ...files,
    '.dockerignore': 'secret*\n**/*.log\n!kept.log\nnode_modules\n',
    '.env': 'PASSWORD=hunter2\n',
    'secret.txt': 'hunter2',
    'deep/secret.txt': 'the rule is for the top',
    'deep/er/out.log': 'x',
    'kept.log': 'x',
    'node_modules/a/index.js': 'x',
    'with space/ünïcödé 漢字.txt': 'odd names',
    'a\nb': 'a line break',
    'bin/run': '#!/bin/sh\necho ran\n',
  })
  const long = `${'d'.repeat(250)}/${'e'.repeat(250)}`
  await source.write({ [`${long}/${'f'.repeat(250)}`]: 'far' })
  await mkdir(join(source.path, 'empty'))
  await chmod(join(source.path, 'bin/run'), 0o755)
  await symlink('bin/run', join(source.path, 'link'))
  await symlink('/nowhere/at all', join(source.path, 'dangling'))
  const listener = createServer().listen(join(source.path, 'it.sock'))
  const said = await deploy('names', source.path).said
  listener.close()
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /left out it\.sock: /)
  const found = await inside('names', 'cd /src && find . -type f | grep -v ddd')
  assert.deepEqual(found.trim().split('\n').sort(), [
    './.dockerignore',
    './Dockerfile',
    './a',
    './bin/run',
    './deep/secret.txt',
    './docker-compose.yml',
    './kept.log',
    './with space/ünïcödé 漢字.txt',
    'b',
  ])
  const looks = 'cd /src && ./link && readlink dangling && stat -c %a bin/run Dockerfile && ls -d empty'
  assert.equal(await inside('names', looks), 'ran\n/nowhere/at all\n755\n644\nempty\n')
  assert.equal(await inside('names', `cat /src/${long}/f*`), 'far')
  assert.equal(await inside('names', 'echo "$PASSWORD"'), '\n')
})

test('what the rack has is not sent again: the release holds what the directory does', async () => {
  await using source = await makeSource({ ...files, large: randomBytes(5 * 2 ** 20), 'a/b': 'b', c: 'c' })
  assert.doesNotMatch((await deploy('again', source.path).said).stderr, /here already/)
  await source.write({ c: 'changed', 'a/moved': 'b' })
  await rm(join(source.path, 'a/b'))
  await chmod(join(source.path, 'large'), 0o600)
  const { code, stderr } = await deploy('again', source.path).said
  assert.equal(code, 0, stderr)
  assert.match(stderr, /\n4 files of the source were here already\n/)
  const looks = 'cd /src && cat c a/moved && ls a && stat -c "%a %s" large'
  assert.equal(await inside('again', looks), 'changedbmoved\n600 5242880\n')
})

test('a file that may not be read, or has no proper name, ends the upload with its name; no release', async () => {
  await using source = await makeSource({ ...files, 'data/closed': 'x' })
  await chmod(join(source.path, 'data/closed'), 0)
  await rack.run('apps', 'create', 'closed')
  const isRoot = process.getuid?.() === 0
  const closed = await rack.attempt(['deploy', '--app', 'closed', source.path], { mayReadAll: !isRoot })
  assert.equal(closed.code, 1)
  assert.match(closed.stderr, /error: data\/closed cannot be sent: permission denied\n→ .*\.dockerignore/)

  await using odd = await makeSource(files)
  await writeFile(Buffer.concat([Buffer.from(join(odd.path, 'a')), Buffer.from([0xff])]), 'x')
  const said = await deploy('closed', odd.path).said
  assert.equal(said.code, 1)
  assert.match(said.stderr, /cannot be sent: its name is not UTF-8\n→ /)
  assert.deepEqual(await rack.json('releases', '--app', 'closed'), [])
  assert.ok((await builds('closed')).every(({ status }) => status === 'failed'))
})

test('20,000 files of 500 MB become an app with bounded memory on both sides', async () => {
  await using source = await makeSource({
    ...files,
    Dockerfile: 'FROM busybox:1\nCOPY . /src\nRUN find /src/many -type f | wc -l\n',
  })
  await writeMany(join(source.path, 'many'))
  const { child, said } = deploy('large', source.path)
  const peak = await peakMemory(child.pid ?? 0, said)
  const { code, stderr } = await said
  assert.equal(code, 0, stderr)
  assert.match(stderr, /\b20000\b/)
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  const daemonPeak = await memoryOf(daemon.pid)
  assert.ok(peak > 0 && peak < largestMemoryKiB, `the command line took ${peak} KiB`)
  assert.ok(daemonPeak > 0 && daemonPeak < largestMemoryKiB, `the daemon took ${daemonPeak} KiB`)
  await rack.run('apps', 'delete', 'large', '--yes')
})

test('an upload that is too large is refused in the middle with the reason and the limit', async () => {
  await using source = await makeSource(files)
  await writeLarge(source.path, 700)
  const said = await deploy('heavy', source.path).said
  assert.equal(said.code, 1)
  assert.match(said.stderr, /error: the source is larger than 600 MiB\n→ .*\.dockerignore/)
  assert.doesNotMatch(said.stderr, /EPIPE|went away|ECONNRESET/)
  assert.deepEqual(
    (await builds('heavy')).map(({ status }) => status),
    ['failed'],
  )
  assert.deepEqual(await rack.json('releases', '--app', 'heavy'), [])
})

test('an app that is deleted in the middle of its upload ends it with the reason', async () => {
  await using source = await makeSource(files)
  await writeLarge(source.path, 550)
  const { said } = deploy('gone', source.path)
  await buildBegan('gone')
  await rack.run('apps', 'delete', 'gone', '--yes')
  const { code, stderr } = await said
  assert.notEqual(code, 0)
  assert.match(stderr, /error: .*(cancelled|deleted|no app "gone")/)
  assert.doesNotMatch(stderr, /EPIPE|went away|ECONNRESET/)
})

const builds = async (app: string) => await rack.json<{ status: string }[]>('builds', '--app', app)

async function buildBegan(app: string): Promise<void> {
  const isBegun = async () => {
    const said = await rack.attempt(['builds', '--app', app, '--json'])
    return said.code === 0 && said.stdout.trim() !== '[]'
  }
  await until(isBegun, { deadlineMs: 30_000, what: 'a build to begin' })
}

/** Real bytes, so that nothing on the way can make them smaller. */
async function writeMany(folder: string): Promise<void> {
  const bytes = randomBytes(2 ** 20)
  for (let at = 0; at < 200; at++) {
    const path = join(folder, String(at))
    await mkdir(path, { recursive: true })
    const names = Array.from({ length: 100 }, (_, index) => index)
    await Promise.all(
      names.map((name) =>
        writeFile(join(path, String(name)), bytes.subarray(at * 100 + name, at * 100 + name + 26_215)),
      ),
    )
  }
}

async function writeLarge(folder: string, mebibytes: number): Promise<void> {
  const bytes = randomBytes(50 * 2 ** 20)
  for (let at = 0; at < mebibytes / 50; at++) await writeFile(join(folder, `large-${at}`), bytes)
}

/** The largest memory that a process had until it ended, KiB. */
async function peakMemory(pid: number, end: Promise<unknown>): Promise<number> {
  let [peak, isEnded] = [0, false]
  const settle = () => (isEnded = true)
  void end.then(settle, settle)
  const look = async () => {
    peak = Math.max(peak, await memoryOf(pid))
    return isEnded
  }
  await until(look, { deadlineMs: 300_000, intervalMs: 100, what: 'the end of the process' })
  return peak
}

/** The high-water mark of a process, KiB; 0 when it is gone. */
async function memoryOf(pid: number): Promise<number> {
  const status = (await readProcess(pid, 'status')) ?? ''
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0)
}
