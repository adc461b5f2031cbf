import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import { objectsOfRack } from '../support/engine-objects.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { whenSays } from '../support/saying.ts'
import { makeSource, webFiles, type SourceDirectory } from '../support/source.ts'

let rack: InstalledRack
let source: SourceDirectory
let count = 0

before(async () => {
  rack = await installRack(['--cpu', '2048', '--memory', '2048M'])
  source = await makeSource(webFiles('first'))
  assert.equal((await deploy().said).code, 0)
})
after(async () => {
  await source[Symbol.asyncDispose]()
  await rack[Symbol.asyncDispose]()
})

const deploy = () => rack.start(['deploy', '--app', 'shop', source.path])
const body = async () => (await ask({ port: rack.httpPort, host: 'shop.localhost' })).body
const info = async () => await rack.json<{ status: string; release: string }>('apps', 'info', 'shop')
const containers = async () => (await objectsOfRack(rack.name)).filter((name) => name.startsWith('container'))

/** The name of the step shows neither word: only its output does. */
const sleeping = 'FROM node:24-slim\nRUN echo asleep-$((40 + 2)) && sleep 60 && echo awake-$((40 + 2))\n'

/** What must not have changed when a command was interrupted, and that the next one goes through. */
async function assertUntouched(before: Awaited<ReturnType<typeof state>>): Promise<void> {
  assert.deepEqual(await state(), before)
  const word = `next-${count++}`
  await source.write({ ...webFiles(word), '.dockerignore': 'docker-compose.yml\nlarge*\n' })
  const said = await deploy().said
  assert.equal(said.code, 0, said.stderr)
  assert.equal(await body(), word)
}
async function state() {
  const { status, release } = await info()
  return { status, release, body: await body(), containers: await containers() }
}

test('Ctrl-C during a build cancels it on the rack: nothing is left, and the next deploy works at once', async () => {
  const before = await state()
  const releases = await rack.json<unknown[]>('releases', '--app', 'shop')
  await source.write({ ...webFiles('x'), Dockerfile: sleeping })
  const { child, said } = deploy()
  await whenSays(child, /asleep-42/)
  child.kill('SIGINT')
  const { code, stderr } = await said
  assert.equal(code, 130, stderr)
  assert.match(stderr, /cancelling the build/)
  const [build] = await rack.json<{ id: string; status: string }[]>('builds', '--app', 'shop')
  assert.equal(build?.status, 'failed')
  const log = await rack.run('builds', 'logs', build.id, '--app', 'shop')
  assert.match(log, /cancelled/)
  assert.doesNotMatch(log, /awake-42/)
  assert.equal((await rack.json<unknown[]>('releases', '--app', 'shop')).length, releases.length)
  await assertUntouched(before)
})

test('Ctrl-C during an upload ends it: no release, and the next deploy works at once', async () => {
  const before = await state()
  const bytes = randomBytes(50 * 2 ** 20)
  for (let at = 0; at < 10; at++) await writeFile(join(source.path, `large-${at}`), bytes)
  await source.write({ ...webFiles('x'), Dockerfile: 'FROM node:24-slim\nCOPY . /src\nRUN sleep 60\n' })
  await source.write({ '.dockerignore': 'docker-compose.yml\n' })
  const builds = async () => await rack.json<{ status: string }[]>('builds', '--app', 'shop')
  const known = (await builds()).length
  const { child, said } = deploy()
  const isBegun = async () => (await builds()).length > known || child.exitCode !== null
  await until(isBegun, { deadlineMs: 60_000, what: 'the build to begin' })
  child.kill('SIGINT')
  const { code, stderr } = await said
  assert.equal(code, 130, stderr)
  assert.match(stderr, /cancell/)
  assert.equal((await builds())[0]?.status, 'failed')
  await assertUntouched(before)
})

/** Runs, and never gets healthy. */
const stubborn = () =>
  webFiles('x', { server: 'setInterval(() => {}, 1000)', labels: '      rack.health.grace: 60\n' })

/** Deploys such a release, and is back when the rack has begun to start it. */
async function deployStubborn(before: Awaited<ReturnType<typeof state>>) {
  await source.write(stubborn())
  const deploying = deploy()
  const isBegun = async () => (await containers()).length > before.containers.length
  await until(isBegun, { deadlineMs: 60_000, what: 'a container of the new release' })
  return deploying
}

test('Ctrl-C during a promote undoes it: the old release serves, no container of the new one is left', async () => {
  const before = await state()
  const { child, said } = await deployStubborn(before)
  child.kill('SIGINT')
  const { code, stderr } = await said
  assert.equal(code, 130, stderr)
  assert.match(stderr, /cancelling the promote/)
  await assertUntouched(before)
})

test('a second Ctrl-C leaves at once; the rack finishes the undo by itself', async () => {
  const before = await state()
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  const { child, said } = await deployStubborn(before)
  child.kill('SIGINT')
  await whenSays(child, /cancelling the promote/)
  // A rack that stands still undoes nothing that could be waited for.
  process.kill(daemon.pid, 'SIGSTOP')
  try {
    child.kill('SIGINT')
    const { code, stderr } = await said
    assert.equal(code, 130, stderr)
    assert.match(stderr, /left; /)
  } finally {
    process.kill(daemon.pid, 'SIGCONT')
  }
  const isUndone = async () => (await info()).status === 'running'
  await until(isUndone, { deadlineMs: 120_000, what: 'the end of the undo' })
  await assertUntouched(before)
})

test('apps cancel from elsewhere ends a deploy with the reason', async () => {
  const before = await state()
  const { said } = await deployStubborn(before)
  await rack.run('apps', 'cancel', 'shop')
  const { code, stderr } = await said
  assert.equal(code, 130, stderr)
  assert.match(stderr, /error: .*cancelled/)
  const idle = await rack.attempt(['apps', 'cancel', 'shop'])
  assert.equal(idle.code, 1)
  assert.match(idle.stderr, /nothing of shop is changing/)
  await assertUntouched(before)
})
