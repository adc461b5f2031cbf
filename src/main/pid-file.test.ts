import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import type { RackError } from '../domain/error.ts'
import { identifyProcess } from '../lib/process-identity.ts'
import { claimPidFile } from './pid-file.ts'

async function pathIn(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-pid-'))
  context.after(() => rm(directory, { recursive: true }))
  return join(directory, 'daemon.pid')
}

test('a daemon that runs is not replaced; one that died, or left rubbish, is', async (context) => {
  const path = await pathIn(context)
  await writeFile(path, JSON.stringify(await identifyProcess(process.ppid)))
  await assert.rejects(claimPidFile(path), (error: RackError) => error.code === 'conflict')
  const dead = { pid: process.ppid, startTicks: 1, commandLine: 'rackd' }
  for (const text of [JSON.stringify(dead), '', '{"pid":']) {
    await writeFile(path, text)
    await using _claim = await claimPidFile(path)
    assert.equal((JSON.parse(await readFile(path, 'utf8')) as { pid: number }).pid, process.pid)
  }
  await assert.rejects(readFile(path), { code: 'ENOENT' })
})

test('the file of another is left where it is', async (context) => {
  const path = await pathIn(context)
  const claim = await claimPidFile(path)
  const other = JSON.stringify({ pid: 1, startTicks: 1, commandLine: 'other' })
  await writeFile(path, other)
  await claim[Symbol.asyncDispose]()
  assert.equal(await readFile(path, 'utf8'), other)
})

test('of daemons that start at once one is it, in every round, and its file names it', async (context) => {
  const path = await pathIn(context)
  const program = new URL('../../test/support/pid-claimer.ts', import.meta.url).pathname
  const daemons = Array.from({ length: 4 }, () => {
    const child = spawn(process.execPath, [program, path], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return { child, lines, pid: child.pid! }
  })
  context.after(() => daemons.forEach(({ child }) => child.kill('SIGKILL')))
  const tell = async (word: string, to = daemons) => {
    for (const { child } of to) child.stdin.write(`${word}\n`)
    return await Promise.all(to.map(async ({ lines }) => String((await lines.next()).value)))
  }
  for (let round = 0; round < 50; round++) {
    const answers = await tell('claim')
    const winner = daemons[answers.indexOf('claimed')]
    assert.ok(winner, answers.join('; '))
    const expected = daemons.map(({ pid }) =>
      pid === winner.pid ? 'claimed' : `the daemon runs already, as process ${winner.pid}`,
    )
    assert.deepEqual(answers, expected)
    assert.equal((JSON.parse(await readFile(path, 'utf8')) as { pid: number }).pid, winner.pid)
    await tell('release')
    await assert.rejects(readFile(path), { code: 'ENOENT' })
  }
  const [first, ...others] = daemons
  await tell('claim', [first!])
  first!.child.kill('SIGKILL')
  await once(first!.child, 'exit')
  assert.equal((await tell('claim', others)).filter((answer) => answer === 'claimed').length, 1)
})
