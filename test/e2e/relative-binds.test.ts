import assert from 'node:assert/strict'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource, type SourceDirectory } from '../support/source.ts'

/** A web server that reads its configuration and its pages from the source, and keeps what visitors leave. */
const compose = `volumes:
  pages:
    driver_opts: { type: none, o: bind, device: ./html }
configs:
  rules: { file: ./rules }
secrets:
  keys: { file: ./keys }
services:
  web:
    image: busybox:1
    command: sh -c ". /etc/site/site.conf && exec httpd -f -p 80 -h $\${ROOT}"
    ports: ["80:80"]
    stop_grace_period: 1s
    labels: { rack.draining.timeout: 1 }
    volumes:
      - ./conf/site.conf:/etc/site/site.conf:ro
      - ./html:/www:ro
      - ./html/.env:/run/site.env:ro
      - pages:/pages:ro
  job:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    volumes: ["./data:/data", "\${EXTRA:-./conf}:/extra:ro"]
    configs: [{ source: rules, target: /etc/rules, mode: 0440 }]
    secrets: [keys]
`

let rack: InstalledRack
let source: SourceDirectory

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '2048M'])
  source = await makeSource({
    'docker-compose.yml': compose,
    'conf/site.conf': 'ROOT=/www\n',
    'html/index.html': 'first',
    'rules/one.yml': 'one',
    'rules/more/two.yml': 'two',
    'keys/signing.key': 'signed',
    'keys/old/signing.key': 'older',
    'html/.env': 'TOKEN=x',
    'html/draft.html': 'not yet',
    '.dockerignore': '**/draft.html\n',
  })
})
after(async () => {
  await source[Symbol.asyncDispose]()
  await rack[Symbol.asyncDispose]()
})

const deploy = async (...flags: string[]) =>
  await rack.attempt(['deploy', '--app', 'shop', source.path, ...flags])
const page = async (path = '/') =>
  (await ask({ port: rack.httpPort, host: 'shop.localhost', path })).body.trim()
const inside = async (type: string, script: string) =>
  (await rack.run('exec', type, '--app', 'shop', '--', 'sh', '-c', script)).trim()
const copies = async () => {
  const rows = await rack.json<{ id: string; type: string; status: string }[]>('ps', '--app', 'shop')
  const running = rows.filter(({ status }) => status === 'running')
  return Object.fromEntries(running.map(({ type, id }) => [type, id]))
}
const newest = async () => (await rack.json<{ id: string }[]>('releases', '--app', 'shop'))[0]!.id

test('configuration and pages of the source are served, as they are for each release', async () => {
  const said = await deploy()
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /web: \/www is html of this release/)
  assert.match(said.stderr, /job: \/data is the volume data, which outlives releases/)
  assert.equal(await page(), 'first')
  assert.equal(await inside('web', 'ls -A /www; cat /run/site.env'), 'index.html\nTOKEN=x')
  assert.equal(await inside('web', 'cat /pages/index.html'), 'first', 'a volume that is a path')
  await inside('job', 'echo kept > /data/word')
  const first = await newest()
  const before = await copies()

  await source.write({ 'html/index.html': 'second' })
  assert.equal((await deploy()).code, 0)
  assert.equal(await page(), 'second')
  const between = await copies()
  assert.notEqual(between['web'], before['web'])
  assert.equal(between['job'], before['job'], 'what did not change is not replaced')

  assert.equal((await deploy()).code, 0)
  assert.deepEqual(await copies(), between, 'the same content again replaces nothing')

  await rack.run('releases', 'rollback', first, '--app', 'shop')
  assert.equal(await page(), 'first')
  assert.equal(await inside('job', 'cat /data/word'), 'kept')
})

test('a folder that is declared as a config or a secret is a file for each of its own', async () => {
  const files = 'cd /etc/rules && cat one.yml more/two.yml && stat -c %a one.yml more/two.yml'
  assert.equal(await inside('job', files), 'onetwo440\n440')
  assert.equal(await inside('job', 'cd /run/secrets/keys && cat signing.key old/signing.key'), 'signedolder')
  const shown = await rack.attempt(['manifest', 'check', source.path])
  assert.equal(shown.code, 0, shown.stdout)
  await source.write({ 'rules/one.yml': 'changed' })
  assert.equal((await deploy()).code, 0)
  assert.equal(await inside('job', 'cat /etc/rules/one.yml'), 'changed')
})

test('what was data stays data when the source has something there, until a label says otherwise', async () => {
  await source.write({ 'data/word': 'from the source' })
  const said = await deploy()
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr, /"\.\/data" stays the volume that it was.*rack\.mount\.\/data=release makes it/)
  assert.equal(await inside('job', 'cat /data/word'), 'kept')
  const labelled = compose.replace(
    'stop_grace_period: 1s\n    volumes: ["./data',
    'stop_grace_period: 1s\n    labels: [rack.mount./data=release]\n    volumes: ["./data',
  )
  await source.write({ 'docker-compose.yml': labelled })
  assert.equal((await deploy()).code, 0)
  assert.equal(await inside('job', 'cat /data/word'), 'from the source')
  assert.deepEqual(
    (await rack.json<{ name: string }[]>('volumes')).map(({ name }) => name),
    ['data'],
  )
})

test('a variable that leads a mount to another path asks for a build, and a build for the path', async () => {
  const set = await rack.attempt(['env', 'set', 'EXTRA=./html', '--promote', '--app', 'shop'])
  assert.equal(set.code, 1)
  assert.match(set.stderr, /mounts other paths of the source into job than its build .* did\n→ Build again/)
  assert.equal((await deploy()).code, 0, 'the upload holds html for the other process')
  assert.equal(await inside('job', 'cat /extra/index.html'), 'second')
  await mkdir(join(source.path, 'more'))
  await rack.run('env', 'set', 'EXTRA=./more', '--app', 'shop')
  const unsent = await deploy()
  assert.equal(unsent.code, 1)
  assert.match(
    unsent.stderr,
    /the upload does not hold .*, which a bind mount of the compose file names\n→ .* in \.env too/,
  )
  await rack.run('env', 'unset', 'EXTRA', '--app', 'shop')
})

test('the first fill of a volume that a label asks for comes from the source', async () => {
  await source.write({
    'docker-compose.yml': `${compose}  seed:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    labels: [rack.mount./seed=volume]
    volumes: ["./seed:/seed"]
`,
    'seed/word': 'sown',
  })
  assert.equal((await deploy()).code, 0)
  assert.equal(
    await inside('seed', 'cat /seed/word && echo grown > /seed/word && cat /seed/word'),
    'sowngrown',
  )
  await source.write({ 'seed/word': 'sown again' })
  const { seed } = await copies()
  assert.equal((await deploy()).code, 0)
  assert.equal((await copies())['seed'], seed, 'what only fills a volume is no change')
  assert.equal(await inside('seed', 'cat /seed/word'), 'grown')
})

test('over what a build left there, below a volume and beside one without a name, each sees what it should', async () => {
  await using dev = await makeSource({
    'docker-compose.yml': `services:
  web:
    build: .
    stop_grace_period: 1s
    volumes: [".:/app", "/app/node_modules"]
  blog:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    volumes: ["site:/site", "./theme:/site/theme:ro"]
volumes: { site: {} }
`,
    Dockerfile:
      'FROM busybox:1\nWORKDIR /app\nCOPY . .\nRUN mkdir node_modules built && echo module > node_modules/one && echo result > built/out\nCMD ["sleep", "3600"]\n',
    '.dockerignore': 'node_modules\n',
    'node_modules/one': 'of another machine',
    'main.js': 'one',
    'theme/style': 'plain',
  })
  const deployed = async () => {
    const said = await rack.attempt(['deploy', '--app', 'dev', dev.path])
    assert.equal(said.code, 0, said.stderr)
  }
  const seen = async (type: string, script: string) =>
    (await rack.run('exec', type, '--app', 'dev', '--', 'sh', '-c', script)).trim()
  await deployed()
  assert.equal(await seen('web', 'cat main.js node_modules/one built/out'), 'onemodule\nresult')
  await seen('blog', 'echo post > /site/post')
  assert.equal(await seen('blog', 'cat /site/theme/style'), 'plain')
  await dev.write({ 'theme/style': 'fancy' })
  await deployed()
  assert.equal(await seen('blog', 'cat /site/theme/style /site/post'), 'fancypost')
  await rack.run('apps', 'delete', 'dev', '--yes')
})

test('a file that is missing is refused at the build where the image has one, and nothing is touched', async () => {
  await rm(join(source.path, 'conf'), { recursive: true })
  await source.write({
    'docker-compose.yml':
      'services:\n  web:\n    image: busybox:1\n    command: sleep 9\n    volumes: ["./passwd:/etc/passwd"]\n',
  })
  const said = await deploy()
  assert.equal(said.code, 1)
  assert.match(said.stderr, /web: \/etc\/passwd is a file of the image, and the source has no file passwd/)
  assert.equal(await page(), 'second')
})
