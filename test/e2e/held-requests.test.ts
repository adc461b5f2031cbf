import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { startLoad } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

interface Told {
  receipt: { requests: number; failed: number; held: number; replaced: string[] }
}

/** A site that needs two seconds to start, and writes a volume. */
const compose = (version: string, script = 'exec httpd -f -p 8080 -h /srv', more = '') => `services:
  web:
    image: busybox:1
    init: true
    command: sh -c 'mkdir /srv; echo "$$VERSION $$COLOUR" > /srv/index.html; sleep 2; ${script}'
    environment: { VERSION: ${version}, COLOUR: }
    ports: ["80:8080"]
    volumes: ["data:/data"]
${more}volumes: { data: {} }
`

/** What visitors meet while something is done, and what comes of it. */
async function underLoad<T>({ httpPort: port }: InstalledRack, work: () => Promise<T>) {
  const load = startLoad({ port, host: 'shop.localhost', connections: 4, restMs: 20, patienceMs: 60_000 })
  try {
    const result = await work()
    return { result, visitors: await load.stop() }
  } finally {
    await load.stop()
  }
}

async function deploy(rack: InstalledRack, text: string) {
  await using source = await makeSource({ 'docker-compose.yml': text })
  return await rack.attempt(['deploy', '--app', 'shop', source.path, '--json'])
}

const lastLine = (text: string) =>
  (JSON.parse(text.trim().split('\n').at(-1) ?? '') as { result: Told }).result

test('whatever replaces the one copy that writes a volume, its visitors wait and none is turned away', async () => {
  await using rack = await installRack(['--cpu', '2048', '--memory', '1024M'])
  await rack.run('apps', 'create', 'shop')
  await rack.run('env', 'set', 'COLOUR=red', '--app', 'shop')
  const first = await deploy(rack, compose('v1'))
  assert.equal(first.code, 0, first.stderr)

  const changed = await underLoad(rack, () => deploy(rack, compose('v2')))
  assert.equal(changed.result.code, 0, changed.result.stderr)
  assert.deepEqual(changed.visitors.failures, {})
  assert.deepEqual(Object.keys(changed.visitors.bodies).sort(), ['v1 red\n', 'v2 red\n'])
  const { receipt } = lastLine(changed.result.stdout)
  assert.deepEqual([receipt.failed, receipt.replaced], [0, ['web']])
  assert.ok(receipt.held > 0, JSON.stringify(receipt))
  assert.match(
    changed.result.stdout,
    /web stops before its successor starts: only one may write the volume data/,
  )

  const commands = [
    ['restart', '--app', 'shop'],
    ['env', 'set', 'COLOUR=blue', '--promote', '--app', 'shop'],
  ]
  for (const command of commands) {
    const { result, visitors } = await underLoad(rack, () => rack.attempt(command))
    assert.equal(result.code, 0, result.stderr)
    assert.deepEqual(visitors.failures, {}, command.join(' '))
    assert.match(result.stderr, /requests meanwhile, 0 failed, \d+ waited for a process, longest stall/)
  }

  const broken = await underLoad(rack, () => deploy(rack, compose('v3', 'exit 1')))
  assert.notEqual(broken.result.code, 0)
  assert.deepEqual(broken.visitors.failures, {})
  assert.deepEqual(Object.keys(broken.visitors.bodies), ['v2 blue\n'])

  const silent = await underLoad(rack, () => deploy(rack, compose('v4', 'exec sleep 600')))
  assert.notEqual(silent.result.code, 0)
  assert.match(silent.result.stdout, /what ran before is back when it does not listen for 20 s/)
  assert.match(silent.result.stdout, /A start that takes longer than 20 s needs a longer grace/)
  assert.deepEqual(silent.visitors.failures, {}, 'it is back before the first who waits is turned away')
  assert.deepEqual(Object.keys(silent.visitors.bodies), ['v2 blue\n'])
})

test('where two releases may overlap nobody waits: a volume that is only read, a wish of the file', async () => {
  await using rack = await installRack(['--cpu', '2048', '--memory', '1024M'])
  await rack.run('apps', 'create', 'shop')
  await rack.run('env', 'set', 'COLOUR=red', '--app', 'shop')
  const wish = '    deploy: { update_config: { order: start-first } }\n'
  const asked = (version: string) => compose(version, undefined, wish)
  const read = (version: string) => compose(version).replace('data:/data', 'data:/data:ro')
  assert.equal((await deploy(rack, read('v1'))).code, 0)
  for (const text of [read('v2'), asked('v3')]) {
    const { result, visitors } = await underLoad(rack, () => deploy(rack, text))
    assert.equal(result.code, 0, result.stderr)
    const { failed, held } = lastLine(result.stdout).receipt
    assert.deepEqual([visitors.failures, failed, held], [{}, 0, 0])
    assert.doesNotMatch(result.stdout, /stops before its successor/)
  }
})
