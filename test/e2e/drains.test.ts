import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'
import { until } from '../../src/lib/poll.ts'
import type { AppInfo } from '../../src/operations/operations.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource } from '../support/source.ts'

/** A site with an answer that goes on until its reader leaves, and may drain for longer than any test lasts. */
const compose = (version: string) => `services:
  web:
    build:
      context: .
      dockerfile_inline: |
        FROM busybox:1
        COPY --chmod=755 stream /srv/cgi-bin/stream
    init: true
    command: sh -c 'echo "$$VERSION $$COLOUR" > /srv/index.html; exec httpd -f -p 8080 -h /srv'
    environment: { VERSION: ${version}, COLOUR: }
    ports: ["80:8080"]
    mem_limit: 16m
    labels: { rack.draining.timeout: "600" }
`
const stream = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
while echo beat; do sleep 0.2; done
`

interface Told {
  receipt: { draining: string[]; measurement: string | null }
}

async function deploy(rack: InstalledRack, version: string) {
  await using source = await makeSource({ 'docker-compose.yml': compose(version), stream })
  return await rack.attempt(['deploy', '--app', 'shop', source.path, '--json'])
}

/** A visitor who stays. */
async function stay(t: TestContext, { httpPort: port }: InstalledRack): Promise<IncomingMessage> {
  const headers = { host: 'shop.localhost' }
  const sent = request({ host: '127.0.0.1', port, path: '/cgi-bin/stream', headers, agent: false }).end()
  sent.on('error', () => undefined)
  t.after(() => sent.destroy())
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  await once(answer, 'data')
  return answer
}

test('a change is answered when traffic has moved, and what drains behind it is in nobody’s way', async (t) => {
  await using rack = await installRack(['--cpu', '4096', '--memory', '2048M'])
  await rack.run('apps', 'create', 'shop')
  await rack.run('env', 'set', 'COLOUR=red', '--app', 'shop')
  const visit = async () => (await ask({ port: rack.httpPort, host: 'shop.localhost' })).body
  const draining = async () => {
    const rows = await rack.json<{ status: string }[]>('ps', '--app', 'shop')
    return rows.filter(({ status }) => status === 'draining').length
  }
  const first = await deploy(rack, 'v1')
  assert.equal(first.code, 0, first.stderr)
  const stayed = [await stay(t, rack)]

  for (const version of ['v2', 'v3']) {
    const { code, stdout, stderr } = await deploy(rack, version)
    assert.equal(code, 0, stderr)
    const { result } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { result: Told }
    assert.equal(result.receipt.draining.length, 1)
    assert.equal(await visit(), `${version} red\n`)
    stayed.push(await stay(t, rack))
  }
  assert.equal(await draining(), 2, 'old copies of two releases drain at once')
  const cancelled = await rack.attempt(['apps', 'cancel', 'shop'])
  assert.equal(cancelled.code, 1)
  assert.match(cancelled.stderr, /nothing of shop is changing now\n→ .*rack releases rollback --app shop/)

  await rack.run('env', 'set', 'COLOUR=blue', '--promote', '--app', 'shop')
  assert.equal(await visit(), 'v3 blue\n')
  assert.match(await rack.run('releases', 'info', '--app', 'shop'), /^promote +replaced web; .* behind it/m)
  const back = await rack.attempt(['releases', 'rollback', '--app', 'shop'])
  assert.equal(back.code, 0, back.stderr)
  assert.equal(await visit(), 'v3 red\n')
  for (const answer of stayed) assert.match(String((await once(answer, 'data'))[0]), /beat/)

  stayed.push(await stay(t, rack))
  const late = rack.start(['restart', '--app', 'shop'])
  const hasMoved = async () => (await draining()) >= 4
  await until(hasMoved, { deadlineMs: 30_000, what: 'traffic to have moved' })
  late.child.kill('SIGINT')
  const said = await late.said
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /too late to cancel the restart: it is done/)
  assert.match(said.stderr, /an old process ends its connections behind it \(rack ps\)/)

  for (const answer of stayed) answer.destroy()
  const counted = async () => {
    const { changed } = await rack.json<AppInfo>('apps', 'info', 'shop')
    return changed?.kind === 'restart' && changed.receipt?.measurement === null
  }
  await until(counted, { deadlineMs: 60_000, what: 'the counts of a change whose old copies have drained' })
  assert.match(
    await rack.run('apps', 'info', 'shop'),
    /^changed .*: restart by .*: replaced web; \d+ requests? meanwhile, 0 failed/m,
  )
  assert.match(await rack.run('releases', 'info', '--app', 'shop'), /^promote +.* meanwhile/m)
})
