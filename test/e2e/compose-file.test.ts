import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource, type SourceDirectory } from '../support/source.ts'

/** One app whose files use what a rack can honour; what it is told must be seen inside its processes. */
const app = 'whole'
const token = 'token-in-the-dotenv-7731'
const key = Buffer.from([0, 255, 10, 13, 200, 0x6b, 0x65, 0x79, 0x21])

const files = {
  'compose.yml': `include: [data/compose.yml]
services:
  web:
    extends: { file: common/base.yml, service: base }
    command: sh -c "echo web is up; exec sleep 3600"
    hostname: front
    configs:
      - { source: site, target: /etc/app/site.conf }
      - { source: inline, target: /etc/app/inline.conf, mode: 0440, gid: "4242" }
    secrets:
      - token
      - { source: key, target: key.bin, mode: 0400 }
    read_only: true
    tmpfs: "/scratch:size=1m,mode=1777"
    cap_drop: [ALL]
    group_add: ["4242"]
    sysctls: [net.core.somaxconn=512]
    extra_hosts: { away: 10.9.8.7 }
    dns_search: example.test
    label_file: web.labels
    depends_on:
      store: { condition: service_healthy, restart: true }
      seed: { condition: service_completed_successfully }
  talker:
    image: busybox:1
    command: sh -c 'echo "from a terminal"; exec sleep 3600'
    tty: true
    init: true
    container_name: loud
    networks: { default: { aliases: [speaker] } }
  reader:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    volumes_from: [store:ro]
  seed:
    image: busybox:1
    command: "true"
  made:
    build:
      context: .
      dockerfile_inline: |
        FROM busybox:1
        COPY . /src
        CMD ["sleep", "3600"]
      labels: { team: shop }
    stop_grace_period: 1s
  debug:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    profiles: [debug]
configs:
  site: { file: site.conf }
  inline: { content: "greeting=\${GREETING:-hello}\\n" }
secrets:
  token: { environment: TOKEN }
  key: { file: keys/key.bin }
networks: { default: }
`,
  'common/base.yml': `services:
  base:
    image: busybox:1
    stop_grace_period: 1s
    ulimits: { nofile: { soft: 1234, hard: 2345 } }
    shm_size: 32m
    env_file: base.env
`,
  'common/base.env': 'FROM_BASE=yes\n',
  'data/compose.yml': `services:
  store:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    environment: { WORD: "\${WORD}" }
    volumes: ["data:/data"]
    healthcheck: { test: "true", interval: 1s }
volumes: { data: }
`,
  'data/.env': 'WORD=included\n',
  '.env': `TOKEN=${token}\n`,
  'site.conf': 'listen 80\n',
  '.dockerignore': 'data\n',
  'web.labels': 'team=shop\n',
}

let rack: InstalledRack
let source: SourceDirectory

before(async () => {
  rack = await installRack(['--cpu', '4096', '--memory', '6144M'])
  source = await makeSource(files)
  await source.write({ 'keys/other': 'not a secret' })
  await writeFile(join(source.path, 'keys/key.bin'), key)
})

after(async () => {
  await rack[Symbol.asyncDispose]()
  await source[Symbol.asyncDispose]()
})

interface Row {
  id: string
  type: string
  status: string
}

const deploy = () => rack.attempt(['deploy', '--app', app, source.path])
const listed = () => rack.json<Row[]>('ps', '--app', app)

async function inside(process: string, script: string): Promise<string> {
  return (await rack.run('exec', process, '--app', app, '--', 'sh', '-c', script)).trim()
}

async function idsByType(): Promise<Record<string, string>> {
  return Object.fromEntries((await listed()).map(({ type, id }) => [type, id]))
}

/** Types whose copies are others now. */
async function replacedSince(was: Record<string, string>): Promise<string[]> {
  const is = await idsByType()
  return Object.keys(is)
    .filter((type) => is[type] !== was[type])
    .sort()
}

test('an app of many files goes live; files, limits and names are as its files say', async () => {
  const said = await deploy()
  assert.equal(said.code, 0, said.stderr)
  assert.deepEqual((await listed()).map(({ type }) => type).sort(), [
    'made',
    'reader',
    'seed',
    'store',
    'talker',
    'web',
  ])
  assert.equal(await inside('web', 'cat /etc/app/site.conf'), 'listen 80')
  assert.equal(await inside('web', 'stat -c "%a %u %g" /etc/app/inline.conf'), '440 0 4242')
  assert.equal(await inside('web', 'cat /etc/app/inline.conf'), 'greeting=hello')
  assert.equal(await inside('web', 'cat /run/secrets/token'), token)
  assert.equal(await inside('web', 'stat -c %a /run/secrets/key.bin'), '400')
  assert.equal(await inside('web', 'od -An -tx1 /run/secrets/key.bin'), '00 ff 0a 0d c8 6b 65 79 21')
  assert.equal(await inside('web', 'hostname'), 'front')
  assert.equal(await inside('web', 'ulimit -Sn; ulimit -Hn'), '1234\n2345')
  assert.equal(await inside('web', 'cat /proc/sys/net/core/somaxconn'), '512')
  assert.match(await inside('web', 'grep CapEff /proc/self/status'), /0{16}$/)
  assert.match(await inside('web', 'id -G'), /\b4242\b/)
  assert.equal(await inside('web', 'touch /nope 2> /dev/null || echo read-only'), 'read-only')
  assert.match(await inside('web', 'grep " /scratch " /proc/mounts'), /size=1024k.*|mode=1777/)
  assert.match(await inside('web', 'grep " /dev/shm " /proc/mounts'), /size=32768k/)
  assert.match(await inside('web', 'cat /etc/hosts'), /10\.9\.8\.7\s+away/)
  assert.match(await inside('web', 'cat /etc/resolv.conf'), /search example\.test/)
  assert.equal(await inside('web', 'echo $FROM_BASE'), 'yes')
  assert.equal(await inside('store', 'echo $WORD'), 'included')
  for (const name of ['talker', 'loud', 'speaker'])
    assert.match(await inside('reader', `ping -c 1 -W 2 ${name}`), /1 packets received/, name)
  await inside('store', 'echo kept > /data/word')
  assert.equal(await inside('reader', 'cat /data/word; echo x > /data/x || echo refused'), 'kept\nrefused')
  const logged = async () => (await rack.run('logs', '--app', app)).includes('from a terminal')
  await until(logged, { deadlineMs: 10_000, what: 'the line of a terminal' })
})

test('a secret is nowhere but in the processes that have it', async () => {
  assert.equal(
    await inside('made', 'ls -a /src/keys; ls /src/.env 2>&1 | grep -c "No such"'),
    '.\n..\nother\n1',
  )
  const [release] = await rack.json<{ id: string }[]>('releases', '--app', app)
  const said = await Promise.all([
    rack.run('releases', 'promote', release?.id ?? '', '--app', app, '--plan', '--json'),
    rack.run('builds', 'logs', '--app', app),
    rack.run('logs', '--app', app),
    rack.run('ps', '--app', app, '--json'),
  ])
  const words = [token, Buffer.from(token).toString('base64'), key.toString('base64')]
  for (const text of said) for (const word of words) assert.ok(!text.includes(word), word)
  const kept = await readdir(rack.directory, { recursive: true, withFileTypes: true })
  for (const entry of kept.filter((one) => one.isFile())) {
    const content = await readFile(join(entry.parentPath, entry.name))
    for (const word of [...words, key]) assert.ok(!content.includes(word), `${entry.name} holds a secret`)
  }
})

test('a changed secret replaces who has it, a changed dependency those that restart with it', async () => {
  const first = await idsByType()
  await writeFile(join(source.path, 'keys/key.bin'), Buffer.from('another'))
  const said = await deploy()
  assert.equal(said.code, 0, said.stderr)
  assert.deepEqual(await replacedSince(first), ['web'])
  assert.equal(await inside('web', 'cat /run/secrets/key.bin'), 'another')
  const second = await idsByType()
  await source.write({ 'data/.env': 'WORD=changed\n' })
  assert.equal((await deploy()).code, 0)
  assert.deepEqual(await replacedSince(second), ['store', 'web'])
  const diff = await rack.run('releases', 'diff', '--app', app)
  assert.ok(!diff.includes('another'), diff)
})

test('a profile is turned on by the environment and a deploy, and off by a rollback', async () => {
  const refused = await rack.attempt(['env', 'set', 'COMPOSE_PROFILES=debug', '--promote', '--app', app])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /debug, of which its build B[A-Z]{10} made no image[^]*rack deploy/)
  const types = async () => (await listed()).map(({ type }) => type)
  assert.ok(!(await types()).includes('debug'))
  assert.equal((await deploy()).code, 0)
  assert.ok((await types()).includes('debug'))
  await rack.run('releases', 'rollback', '--app', app)
  assert.ok(!(await types()).includes('debug'))
})

test('a daemon that dies in a deploy leaves the files in place', async () => {
  await writeFile(join(source.path, 'keys/key.bin'), Buffer.from('third'))
  const deploying = deploy()
  await delay(1500)
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await deploying
  await rack.run('start')
  const isSettled = async () => (await rack.json<{ status: string }>('status')).status === 'running'
  await until(isSettled, { deadlineMs: 60_000, what: 'the rack to settle' })
  assert.match(await inside('web', 'cat /run/secrets/key.bin'), /^(another|third)$/)
  assert.equal(await inside('web', 'cat /run/secrets/token'), token)
  assert.equal((await listed()).filter(({ type }) => type === 'web').length, 1)
})

test('what a file names and the directory lacks is said with its line, before anything is sent', async () => {
  await rm(join(source.path, 'keys/key.bin'))
  await source.write({ 'compose.yml': files['compose.yml'].replace('service: base', 'service: bas') })
  const { code, stderr } = await deploy()
  assert.equal(code, 1)
  assert.match(
    stderr,
    /compose\.yml:\d+:\d+: error: .*there is no process "bas" in common\/base\.yml; did you mean "base"\?/,
  )
  assert.match(stderr, /compose\.yml:\d+:\d+: error: secrets\.key\.file: .*keys\/key\.bin.* does not exist/)
  assert.doesNotMatch(stderr, /build/)
})
