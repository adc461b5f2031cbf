import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../lib/poll.ts'
import {
  createHaproxyFinder,
  findHaproxy,
  haproxyArguments,
  haproxyVersion,
  hasLua,
} from './haproxy-program.ts'

async function saying(text: string) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'haproxy-'))
  const program = join(folder.path, 'haproxy')
  await writeFile(program, `#!/bin/sh\n${text}\n`, { mode: 0o700 })
  return Object.assign(folder, { program })
}

test('the version of HAProxy, and whether it is new enough', async () => {
  await using debian = await saying(
    'echo "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/"',
  )
  assert.equal(await haproxyVersion(debian.program), '2.6.12-1+deb12u4')
  await using next = await saying('echo "HAProxy version 3.0.0 2024/05/29"')
  assert.equal(await haproxyVersion(next.program), '3.0.0')
  await using old = await saying('echo "HA-Proxy version 2.5.9 2022/09/24"')
  await assert.rejects(haproxyVersion(old.program), { code: 'unsupported', message: /2\.5\.9 is too old/ })
  await using silent = await saying('exit 3')
  await assert.rejects(haproxyVersion(silent.program), { code: 'host-failed' })
  await assert.rejects(haproxyVersion('/nowhere/haproxy'), { code: 'host-failed', hint: /apt-get install/ })
})

test('whether HAProxy can run programs of ours', async () => {
  await using debian = await saying('echo "Feature list : +LINUX_TPROXY +LUA -MEMORY_PROFILING"')
  assert.equal(await hasLua(debian.program), true)
  await using bare = await saying('echo "Feature list : +LINUX_TPROXY -LUA -MEMORY_PROFILING"')
  assert.equal(await hasLua(bare.program), false)
})

test('where no router runs none is found, whatever its pid file says', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'haproxy-'))
  await writeFile(join(folder.path, 'haproxy.pid'), `${process.pid}\n`)
  assert.equal(await findHaproxy(folder.path), null)
  assert.deepEqual(haproxyArguments('/x').slice(-2), ['-f', '/x/haproxy.cfg'])
})

test('one without a pid file is found, again too, and never one that has ended', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'haproxy-'))
  const find = createHaproxyFinder(folder.path)
  assert.equal(await find(), null)
  const pids = new Set<number>()
  for (let times = 0; times < 2; times++) {
    // Named as the master is, with a child that has its command line, as its worker does.
    const args = ['-c', '(read line; exit)', ...haproxyArguments(folder.path)]
    const master = spawn('bash', args, { argv0: 'haproxy', stdio: ['pipe', 'ignore', 'ignore'] })
    const pid = await until(find, { deadlineMs: 20_000, what: 'a master with a worker' })
    assert.equal(pid, master.pid)
    assert.equal(await find(), pid)
    pids.add(pid)
    master.stdin.end()
    await once(master, 'close')
    assert.equal(await find(), null)
  }
  assert.equal(pids.size, 2)
})
