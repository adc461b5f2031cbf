import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { MadeToken, Token } from '../../src/domain/token.ts'
import { rack as runRack } from '../support/command-line.ts'
import { installRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const compose =
  'services:\n  web:\n    image: busybox:1\n    command: sh -c "while true; do echo here; sleep 1; done"\n    stop_grace_period: 1s\n'

test('tokens of a role and an app do what those may, end what is open when they are revoked, and come back', async () => {
  await using rack = await installRack()
  await using source = await makeSource({ 'docker-compose.yml': compose })
  await rack.run('deploy', '--app', 'shop', source.path)
  await rack.run('apps', 'create', 'blog')
  const { socket } = await rack.json<{ socket: string }>('status')
  /** As somebody elsewhere, who has that token and nothing else. */
  const envOf = async (...words: string[]) => {
    const { token } = await rack.json<MadeToken>('tokens', 'create', ...words)
    return { ...rack.env, RACK_NAME: '', RACK_URL: `unix:${socket}`, RACK_TOKEN: token }
  }
  const reader = await envOf('reader', '--role', 'read')
  const deployer = await envOf('ci', '--role', 'deploy', '--app', 'shop', '--expires', '1d')
  const codes = async (env: NodeJS.ProcessEnv, ...commands: string[]) => {
    const ended = commands.map(async (words) => (await runRack(words.split(' '), { env })).code)
    return await Promise.all(ended)
  }
  const asked = [
    'ps --app shop',
    'exec web --app shop -- true',
    'env set A=1 --app shop',
    'apps info blog',
    'apps delete shop --yes',
    'tokens list',
  ]
  assert.deepEqual(await codes(reader, ...asked), [0, 1, 1, 0, 1, 1])
  assert.deepEqual(await codes(deployer, ...asked), [0, 0, 0, 1, 1, 1])
  const seen = await runRack(['apps', '--json'], { env: deployer })
  assert.deepEqual(
    (JSON.parse(seen.stdout) as { name: string }[]).map(({ name }) => name),
    ['shop'],
  )
  const told = await runRack(['exec', 'web', '--app', 'shop', '--', 'true'], { env: reader })
  assert.match(told.stderr, /the token "reader" has the role read, and this wants deploy/)

  const { child, said } = rack.start(['logs', '-f', '--app', 'shop'], { env: reader })
  await once(child.stdout!, 'data')
  await rack.run('tokens', 'revoke', 'reader', '--yes')
  const { code, stderr } = await said
  assert.equal(code, 1)
  assert.match(stderr, /the token "reader" was revoked/)
  assert.deepEqual(await codes(reader, 'ps --app shop'), [1])

  const alice = await envOf('alice', '--role', 'admin')
  assert.deepEqual(await codes(alice, 'tokens revoke install --yes'), [0])
  assert.equal((await rack.attempt(['apps'])).code, 1)
  await rack.run('tokens', 'recover')
  const tokens = await rack.json<Token[]>('tokens', 'list')
  assert.deepEqual(
    tokens.map(({ name, role, apps, lastUsed }) => [name.split('-')[0], role, apps, lastUsed !== null]),
    [
      ['alice', 'admin', null, true],
      ['ci', 'deploy', ['shop'], true],
      ['recovered', 'admin', null, true],
    ],
  )
})
