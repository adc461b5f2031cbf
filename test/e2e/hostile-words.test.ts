import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { steers } from '../support/hostile/terminal-texts.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

/** A title, the clipboard, the line above erased, letters in reverse: for `printf` of a shell. */
const attack = String.raw`\033]0;owned\007\033]52;c;cm0=\007before\033[1A\033[2K\342\200\256behind\n`

let rack: InstalledRack
before(async () => {
  rack = await installRack()
})
after(() => rack[Symbol.asyncDispose]())

const failing = (lines: string) => `services:\n  web:\n${lines}    ports: ["80:3000"]\n`

test('a deploy that fails says what its process printed, without what would steer a terminal', async () => {
  const script = `printf '${attack}' >&2; exit 3`
  const command = `    image: busybox:1\n    command: ${JSON.stringify(['sh', '-c', script])}\n`
  await using source = await makeSource({ 'docker-compose.yml': failing(command) })
  const said = await rack.attempt(['deploy', '--app', 'shop', source.path])
  assert.notEqual(said.code, 0)
  assert.match(said.stderr, /exited with 3 before it was healthy/)
  assert.match(said.stderr, /before�behind/)
  assert.ok(!steers(said.stderr), JSON.stringify(said.stderr))
})

test('a build that fails, and its log, say nothing that steers either', async () => {
  await using source = await makeSource({
    'docker-compose.yml': failing('    build: .\n'),
    Dockerfile: `FROM busybox:1\nRUN printf '${attack}'; exit 9\n`,
  })
  const said = await rack.attempt(['deploy', '--app', 'built', source.path])
  assert.notEqual(said.code, 0)
  assert.match(said.stderr, /before�behind/)
  assert.ok(!steers(said.stderr), JSON.stringify(said.stderr))
  const [build] = await rack.json<{ id: string }[]>('builds', '--app', 'built')
  const kept = await rack.run('builds', 'logs', build?.id ?? '', '--app', 'built')
  assert.match(kept, /before.*behind/, 'a pipe gets the log as it is')
})
