import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { spawn } from 'node:child_process'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { mountSmallDisk } from '../support/small-tmpfs.ts'
import { makeSource } from '../support/source.ts'

const megabyte = 1024 * 1024

let rack: InstalledRack
let home = ''

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
  home = await mkdtemp(join(tmpdir(), 'rack-e2e-cp-'))
  const sleeps = 'command: sh -c \'trap "exit 0" TERM; while :; do sleep 1; done\''
  await using source = await makeSource({
    'docker-compose.yml': `services:
  box:
    image: busybox:1
    ${sleeps}
  pair:
    image: busybox:1
    ${sleeps}
    scale: 2
  sealed:
    image: busybox:1
    ${sleeps}
    read_only: true
    tmpfs: /run
    volumes: [data:/data]
volumes: { data: }
`,
  })
  await rack.run('deploy', '--app', 'files', source.path)
})
after(async () => {
  await rack[Symbol.asyncDispose]()
  await rm(home, { recursive: true, force: true })
})

const cp = async (...args: string[]) => await rack.attempt(['cp', '--app', 'files', ...args], { cwd: home })
const inside = async (type: string, script: string) =>
  await rack.run('exec', '--app', 'files', type, '--', 'sh', '-c', script)

async function copies(...args: string[]) {
  const said = await cp(...args)
  assert.equal(said.code, 0, said.stderr)
  return said
}

test('a directory goes in and comes out again: modes, times, links', async () => {
  await mkdir(join(home, 'tree/deep'), { recursive: true })
  await writeFile(join(home, 'tree/deep/run'), '#!/bin/sh\n')
  await chmod(join(home, 'tree/deep/run'), 0o751)
  await symlink('deep/run', join(home, 'tree/link'))
  await copies('tree', 'box:/srv-tree')
  const seen = await inside('box', 'stat -c "%a %u" /srv-tree/deep/run; readlink /srv-tree/link')
  assert.equal(seen, '751 0\ndeep/run\n')
  await copies('box:/srv-tree', 'back')
  const [before, again] = [await stat(join(home, 'tree/deep/run')), await stat(join(home, 'back/deep/run'))]
  assert.equal(again.mode, before.mode)
  assert.equal(Math.floor(again.mtimeMs / 1000), Math.floor(before.mtimeMs / 1000))
  assert.equal(await readlink(join(home, 'back/link')), 'deep/run')
  await copies('box:/srv-tree/.', 'back')
  await copies('box:/srv-tree', 'back')
  assert.deepEqual((await readdir(join(home, 'back'))).toSorted(), ['deep', 'link', 'srv-tree'])
})

test('a file goes onto a name, into a directory, and over a file', async () => {
  await writeFile(join(home, 'note'), 'one')
  await copies('note', 'box:/tmp')
  await copies('note', 'box:/tmp/other')
  await writeFile(join(home, 'note'), 'two')
  await copies('note', 'box:/tmp/other')
  assert.equal(await inside('box', 'cat /tmp/note; echo; cat /tmp/other'), 'one\ntwo')
  await copies('box:/tmp/other', 'note')
  await copies('box:/tmp/note', 'note')
  assert.equal(await readFile(join(home, 'note'), 'utf8'), 'one')
})

test('a tar streams through: from one process into another, without a file between', async () => {
  await inside('box', 'mkdir -p /srv/site; echo hello > /srv/site/index')
  const env = { ...rack.env, RACK_APP: 'files' }
  const program = join(import.meta.dirname, '../../bin/rack')
  const child = spawn('sh', ['-c', `"${program}" cp box:/srv/site - | "${program}" cp - sealed:/data`], {
    env,
  })
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.on('close', resolve)
  assert.equal(await promise, 0)
  assert.equal(await inside('sealed', 'cat /data/site/index'), 'hello\n')
})

test('100 MB pass both ways, byte for byte', async () => {
  await inside('box', `head -c ${100 * megabyte} /dev/urandom > /tmp/big`)
  const sum = (await inside('box', 'sha256sum /tmp/big')).slice(0, 64)
  await copies('box:/tmp/big', '.')
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(join(home, 'big'))) hash.update(chunk as Buffer)
  assert.equal(hash.digest('hex'), sum)
  await copies('big', 'box:/tmp/again')
  assert.equal((await inside('box', 'sha256sum /tmp/again; rm /tmp/again')).slice(0, 64), sum)
})

test('Ctrl-C in the middle leaves no half file', async () => {
  await inside('box', `head -c ${600 * megabyte} /dev/zero > /tmp/huge`)
  const place = join(home, 'ended')
  await mkdir(place)
  const { child, said } = rack.start(['cp', '--app', 'files', 'box:/tmp/huge', place], {})
  const begun = async () => (await readdir(place)).some((name) => name.startsWith('.rack-cp-'))
  await until(begun, { deadlineMs: 30_000, intervalMs: 5, what: 'the copy to begin' })
  child.kill('SIGINT')
  const { code, stderr } = await said
  assert.equal(code, 130, stderr)
  assert.deepEqual(await readdir(place), [])
  await inside('box', 'rm /tmp/huge')
})

test('a disk that is full here is told, and keeps what it had', async () => {
  await using disk = await mountSmallDisk({ mebibytes: 8 })
  await writeFile(join(disk.path, 'big'), 'the old one')
  await inside('box', `head -c ${20 * megabyte} /dev/zero > /tmp/big`)
  const { code, stderr } = await cp('box:/tmp/big', disk.path)
  assert.equal(code, 1)
  assert.match(stderr, /the disk of .*big is full/)
  assert.deepEqual(await readdir(disk.path), ['big'])
  assert.equal(await readFile(join(disk.path, 'big'), 'utf8'), 'the old one')
})

test('what is no tar, or breaks off, is told', async () => {
  for (const input of ['this is no tar at all\n'.repeat(100), Buffer.alloc(700, 'x')]) {
    const said = await rack.attempt(['cp', '--app', 'files', '-', 'box:/tmp'], { input })
    assert.equal(said.code, 1)
    assert.match(said.stderr, /is no whole tar/)
  }
})

test('what cannot be is told in words: nowhere, no directory, read-only, in memory, no process', async () => {
  await writeFile(join(home, 'note'), 'one')
  for (const [args, said] of [
    [['box:/nowhere', '.'], /no \/nowhere in the process P[A-Z]{10}/],
    [['note', 'box:/nowhere/deep/er'], /no \/nowhere\/deep in the process/],
    [['note', 'box:/tmp/note/x'], /not a directory|no \/tmp\/note/],
    [['note', 'sealed:/etc/note'], /read-only file system[^]*→ Copy into one of its volumes/],
    [['note', 'sealed:/run/note'], /\/run is a tmpfs/],
    [['note', 'none:/tmp'], /files runs no process "none"/],
    [['note', 'PZZZZZZZZZZ:/tmp'], /files has no process PZZZZZZZZZZ/],
  ] as const) {
    const { code, stderr } = await cp(...args)
    assert.equal(code, 1, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, said)
  }
  await copies('note', 'sealed:/data/note')
  assert.equal(await inside('sealed', 'cat /data/note'), 'one')
})

test('of several copies it is the newest, which is said', async () => {
  const { stderr } = await copies('note', 'pair:/tmp')
  const id = /this is (P[A-Z]{10}), the newest/.exec(stderr)?.[1] ?? ''
  assert.equal(await rack.run('exec', id, '--', 'cat', '/tmp/note'), 'one')
})

test('an archive made to harm writes nothing outside', async () => {
  const outside = join(home, 'outside')
  await mkdir(outside)
  // A link to where this test looks, then a file through it: the process's own tree has it so.
  await inside('box', `mkdir -p /evil/a; ln -s ${outside} /evil/a/way; echo x > /evil/a/plain`)
  await copies('box:/evil/a', 'harm')
  assert.equal(await readlink(join(home, 'harm/way')), outside)
  await inside('box', 'rm /evil/a/way; mkdir /evil/a/way; echo evil > /evil/a/way/file')
  const { code, stderr } = await cp('box:/evil/a/.', 'harm')
  assert.equal(code, 1)
  assert.match(stderr, /way is a link: nothing is written in its place/)
  assert.deepEqual(await readdir(outside), [])
})
