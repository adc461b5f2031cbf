import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
