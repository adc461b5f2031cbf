import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { whenSays } from '../support/saying.ts'
import { makeSource } from '../support/source.ts'

let rack: InstalledRack

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
})
after(() => rack[Symbol.asyncDispose]())

const compose = (replicas = 1) => `services:
  web:
    build: { context: ., args: [COLOUR, PAUSE] }
    command: httpd -f -p 3000
    ports: ["80:3000"]
    stop_grace_period: 1s
    env_file: web.env
    secrets: [key]
    configs: [{ source: settings, target: /settings }]
    deploy: { replicas: ${replicas} }
secrets:
  key: { file: ./key.pem }
configs:
  settings: { file: ./settings.conf }
`
const files = {
  'docker-compose.yml': compose(),
  Dockerfile:
    'FROM busybox:1\nARG COLOUR\nARG PAUSE\nCOPY . /src\n' +
    'RUN echo "$COLOUR" > /colour\nRUN if [ -n "$PAUSE" ]; then echo paused-$((40 + 2)); sleep 60; fi\n',
  'web.env': 'FROM_FILE=1\n',
  'key.pem': 'a key\n',
  'settings.conf': 'some settings\n',
  'bin/run': 'ran\n',
}

const inside = async (script: string) =>
  await rack.run('exec', 'web', '--app', 'shop', '--', 'sh', '-c', script)
const liveRelease = async () => (await rack.json<{ release: string }>('apps', 'info', 'shop')).release
const changed = async (...args: string[]) => await rack.attempt(['env', ...args, '--app', 'shop'])

test('a variable that only the build reads reaches the image by --build, where the source is no more', async () => {
  const source = await makeSource(files)
  await rack.run('apps', 'create', 'shop')
  await changed('set', 'COLOUR=blue')
  await rack.run('deploy', '--app', 'shop', source.path)
  const holds = 'cd /src && find . -type f | sort && cat web.env settings.conf && stat -c %a bin/run web.env'
  const sent = await inside(holds)
  assert.match(sent, /\.\/settings\.conf\n\.\/web\.env\nFROM_FILE=1\nsome settings\n/)
  assert.doesNotMatch(sent, /key\.pem/)
  await rm(source.path, { recursive: true })

  const told = await changed('set', 'COLOUR=red', '--promote')
  assert.match(told.stderr, /COLOUR is read when the app is built: rack builds rebuild, or rack deploy/)
  assert.equal(await inside('cat /colour'), 'blue\n')
  const built = await changed('set', 'COLOUR=red', '--build', '--promote')
  assert.equal(built.code, 0, built.stderr)
  assert.match(built.stderr, /the source is that of B/)
  assert.equal(await inside('cat /colour'), 'red\n')
  assert.equal(await inside(holds), sent, 'the image holds what it held')
  assert.equal(await inside('cat /run/secrets/key /settings'), 'a key\nsome settings\n')
})

test('Ctrl-C during such a build cancels it: what is live stays', async () => {
  const live = await liveRelease()
  const { child, said } = rack.start(['env', 'set', 'PAUSE=yes', '--build', '--promote', '--app', 'shop'])
  await whenSays(child, /paused-42/)
  child.kill('SIGINT')
  const { code, stderr } = await said
  assert.equal(code, 130, stderr)
  assert.match(stderr, /cancelling the build/)
  assert.equal(await liveRelease(), live)
  const [build] = await rack.json<{ status: string }[]>('builds', '--app', 'shop')
  assert.equal(build?.status, 'failed')
  await changed('unset', 'PAUSE')
})

test('a value that the rack overrides, and what a scale owns of the file, are told by set, diff and check', async () => {
  const { stderr } = await changed('set', 'PORT=8000')
  assert.match(stderr, /^PORT is set by the rack for web; the value of the app is never seen there$/m)
  await changed('unset', 'PORT')
  await using source = await makeSource({ ...files, 'docker-compose.yml': compose(2) })
  const check = await rack.attempt(['manifest', 'check', '--live', '--app', 'shop', source.path])
  const owned = /web: the file says 2 copies where it has 1 copy, which rack scale owns .*web --from-file/
  assert.match(check.stderr, owned)
  await rack.run('build', '--app', 'shop', source.path)
  assert.match(await rack.run('releases', 'diff', '--app', 'shop'), owned)
})

test('what is not kept any more is told with what to type, as JSON too', async () => {
  const builds = await rack.json<{ id: string; status: string }[]>('builds', '--app', 'shop')
  const failed = builds.find(({ status }) => status === 'failed')
  const said = await rack.attempt(['builds', 'rebuild', failed!.id, '--app', 'shop', '--json'])
  assert.equal(said.code, 1)
  const [line] = said.stdout.trim().split('\n').slice(-1)
  assert.match(line ?? '', /"code":"conflict".*rack builds info/)
  const objects = join(rack.directory, 'objects', 'blobs', 'kept', 'shop')
  await rm(objects, { recursive: true })
  const gone = await rack.attempt(['builds', 'rebuild', '--app', 'shop'])
  assert.equal(gone.code, 1)
  assert.match(
    gone.stderr,
    /error: the source of B\w+ is not kept any more\n→ Send it again: rack deploy --app shop/,
  )
})
