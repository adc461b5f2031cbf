import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { identifyProcess } from '../lib/process-identity.ts'
import { answersHealth, findDaemon, startDaemon, stopDaemon } from './daemon.ts'
import type { Installation } from './installation.ts'

const control = { signal: new AbortController().signal, report: () => undefined }

/** A daemon's launcher that does as little as one can: its pid file, and a good health. */
const launcher = `
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
const directory = process.argv.at(-1)
const stat = readFileSync('/proc/self/stat', 'utf8')
const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
const { socket } = JSON.parse(readFileSync(directory + '/rack.json', 'utf8'))
createServer((request, response) => response.end('{}')).listen(socket.path, () => {
  writeFileSync(directory + '/daemon.pid', JSON.stringify({ pid: process.pid, startTicks }))
})
`

async function makeRack(program = launcher) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'daemon-'))
  await writeFile(join(folder.path, 'start.mjs'), program)
  const directory = join(folder.path, 'rack')
  await mkdir(directory)
  const socket = { path: join(directory, 'api.sock'), group: null }
  const installation = { name: 'test', directory, socket } as Installation
  await writeFile(join(directory, 'rack.json'), JSON.stringify(installation))
  const script = { node: process.execPath, script: join(folder.path, 'start.mjs') }
  const start = (env = {}) => startDaemon(installation, script, { ...process.env, ...env }, control)
  return Object.assign(folder, { directory, installation, start })
}

test('a daemon is started once, found, and stopped', async () => {
  await using rack = await makeRack()
  assert.equal(await findDaemon(rack.directory), null)
  assert.equal(await answersHealth(rack.installation), false)
  const pid = await rack.start()
  assert.equal(await rack.start(), pid)
  assert.equal(await findDaemon(rack.directory), pid)
  assert.equal(await answersHealth(rack.installation), true)
  assert.equal(await stopDaemon(rack.directory, control), true)
  assert.equal(await identifyProcess(pid), null)
  assert.equal(await stopDaemon(rack.directory, control), false)
})

test('one that cannot start says why, in the words of its log', async () => {
  const program = `console.log(JSON.stringify({ level: 60, msg: 'the daemon cannot run', err: { message: 'no disk' } })); process.exit(1)`
  await using rack = await makeRack(program)
  await assert.rejects(rack.start(), {
    code: 'host-failed',
    message: 'the daemon does not start: it ended with 1\n  | the daemon cannot run: no disk',
    hint: /daemon\.log/,
  })
})

test('of the log only whole lines of this start are told', async () => {
  const line = (message: string) => JSON.stringify({ level: 60, msg: message })
  const program = `process.stdout.write(${JSON.stringify(`{"level":30,"torn\n${line('now')}\n`)}, () => process.exit(1))`
  await using rack = await makeRack(program)
  await writeFile(join(rack.directory, 'daemon.log'), `${line('long ago')}\n`)
  await assert.rejects(rack.start(), { message: 'the daemon does not start: it ended with 1\n  | now' })
})

test('another program under the number of the pid file is no daemon', async () => {
  await using rack = await makeRack()
  const child = spawn('sleep', ['60'])
  const { startTicks } = (await identifyProcess(child.pid!))!
  await writeFile(join(rack.directory, 'daemon.pid'), JSON.stringify({ pid: child.pid, startTicks }))
  assert.equal(await findDaemon(rack.directory), null)
  await writeFile(join(rack.directory, 'daemon.pid'), '{"pid":')
  assert.equal(await findDaemon(rack.directory), null)
  child.kill()
  await once(child, 'exit')
})
