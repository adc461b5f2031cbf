import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { until } from '../../src/lib/poll.ts'
import { containersOf } from '../support/app-containers.ts'
import { assertWebFiles, blob, composeApp, pageText, secretWords } from '../support/compose-app.ts'
import { dockerSocket } from '../support/docker-rack.ts'
import { objectsOfRack } from '../support/engine-objects.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { needlesBelow, needlesIn, needlesInCommandLines, needlesInImage } from '../support/leaks.ts'
import { ask } from '../support/load.ts'
import { whenSays } from '../support/saying.ts'
import { makeSource, type SourceDirectory } from '../support/source.ts'

interface ProcessRow {
  id: string
  type: string
  status: string
  release: string
}
const docker = connectDocker({ socketPath: dockerSocket })
let rack: InstalledRack
let source: SourceDirectory

before(async () => {
  rack = await installRack(['--cpu', '2048', '--memory', '2048M'])
  source = await makeSource(composeApp)
  await rack.run('apps', 'create', 'shop')
  await rack.run('env', 'set', `API_KEY=${secretWords.apiKey}`, 'MOTD=be kind', '--app', 'shop')
})
after(async () => {
  await source[Symbol.asyncDispose]()
  await rack[Symbol.asyncDispose]()
})

const deploy = () => rack.attempt(['deploy', '--app', 'shop', source.path])
async function deployed(): Promise<void> {
  const { code, stderr } = await deploy()
  assert.equal(code, 0, stderr)
}
const processes = async () => await rack.json<ProcessRow[]>('ps', '--app', 'shop')
/** Without those that have done their work. */
const live = async () => (await processes()).filter(({ status }) => status === 'running')
const running = async () => (await live()).map(({ type }) => type).sort()
/** The id of the one copy of each type. */
const copies = async () => Object.fromEntries((await live()).map(({ type, id }) => [type, id]))
const inside = async (type: string, script: string) =>
  (await rack.run('exec', type, '--app', 'shop', '--', 'sh', '-c', script)).trim()
const linesInside = async (type: string, script: string) => (await inside(type, script)).split('\n')

const { containerOf, imageLabels, fileVolumesOf, isVolume } = containersOf(docker, () => rack.name, 'shop')

test('an app that uses the whole of the compose file becomes live, files and limits as it says', async () => {
  const said = await deploy()
  assert.equal(said.code, 0, said.stderr)
  assert.match(said.stderr + said.stdout, /the process "auditor" is left out: the profile "audit" is not on/)
  assert.deepEqual(await running(), ['data', 'reader', 'screen', 'web'])
  const page = await ask({ port: rack.httpPort, host: 'shop.localhost' })
  assert.deepEqual(page, { status: 200, body: pageText })
})

test('configs and secrets of every origin are files of their mode and owner, in copies and one-offs', async () => {
  await assertWebFiles((script) => inside('web', script), secretWords.token)
  const oneOff = async (script: string) =>
    (await rack.run('run', 'web', '--app', 'shop', '--', 'sh', '-c', script)).trim()
  await assertWebFiles(oneOff, secretWords.token)
  assert.equal(await inside('reader', 'cat /run/secrets/token'), secretWords.token)
  assert.equal(await inside('reader', 'ls /run/secrets'), 'token')
  assert.equal(await inside('reader', 'cat /greeting'), 'hello world')
  assert.equal(await inside('screen', 'ls /run/secrets 2> /dev/null || echo none'), 'none')
  assert.equal(await inside('data', 'cat /data/seen'), secretWords.password)
})

test('limits, capabilities, groups and the file system are as the file says', async () => {
  const script = `hostname; ulimit -n; ulimit -Hn; cat /proc/sys/net/core/somaxconn; id -u; id -G
    grep CapBnd /proc/self/status | cut -f 2; cat /proc/1/comm; cat /built
    df -k /dev/shm | tail -1 | awk '{ print $2 }'; df -k /scratch | tail -1 | awk '{ print $2 }'
    touch /nope 2> /dev/null || echo read-only; touch /scratch/x && echo written
    ls /src; ls /src/secrets /src/parts; echo $PLAIN; echo $FROM_FILE`
  const lines = await linesInside('web', script)
  assert.deepEqual(lines.slice(0, 5), ['till', '1234', '2345', '77', '1000'])
  assert.deepEqual(lines[5]?.split(' ').sort(), ['1001', '4711'])
  assert.deepEqual(lines.slice(6, 13), [
    '0000000000000000',
    'docker-init',
    'built by 0',
    '8192',
    '1024',
    'read-only',
    'written',
  ])
  // What is a secret stays out of the build; what is not is there.
  const rest = lines.slice(13).join('\n')
  assert.match(rest, /page\.html/)
  assert.match(rest, /base\.yml\ndata\.yml\n/)
  assert.ok(!/token|blob|password/.test(rest), rest)
  assert.match(rest, /\nyes\nthe file of nobody$/)
})

test('names lead where the file says: hosts, resolver, aliases and container names', async () => {
  const resolv = await inside('web', 'cat /etc/resolv.conf')
  assert.match(resolv, /^search shop\.example$/m)
  assert.match(resolv, /^options .*ndots:3/m)
  assert.match(await inside('web', 'cat /etc/hosts'), /^10\.9\.8\.7\s+ledger\.example$/m)
  for (const name of ['data', 'shop-data', 'store.example']) {
    assert.equal(await inside('screen', `wget -qO- http://${name}:9000/word`), 'stored', name)
  }
  assert.deepEqual(
    await linesInside('reader', 'cat /data/word; touch /data/x 2> /dev/null || echo read-only'),
    ['stored', 'read-only'],
  )
})

test('a process on a terminal says so in the logs; labels are on the image and the container', async () => {
  const logs = await rack.run('logs', '--app', 'shop')
  assert.match(logs, /screen.*\/dev\/pts\/0$/m)
  assert.match(logs, /screen.*on a terminal$/m)
  assert.match(logs, /seed.*seeded$/m)
  const { Image, Config } = await containerOf('web')
  assert.equal(Config.Labels['org.example.owner'], 'till')
  assert.equal((await imageLabels(Image))['org.example.team'], 'till')
})

const everySecret = { ...secretWords, blob: blob.subarray(0, 64) }
/** The variable is in the environment of every process by its nature. */
const { apiKey: _apiKey, ...fileSecrets } = everySecret

async function assertNothingLeaks(): Promise<void> {
  const replies = [
    ['releases', 'manifest'],
    ['releases', 'info'],
    ['releases', 'diff'],
    ['releases', 'promote', '--plan'],
    ['releases'],
    ['builds'],
    ['ps', '--all'],
    ['logs'],
    ['apps', 'info'],
  ]
  const [build] = await rack.json<{ id: string }[]>('builds', '--app', 'shop')
  replies.push(['builds', 'logs', build?.id ?? ''])
  for (const command of replies) {
    for (const form of [[], ['--json']]) {
      const { stdout, stderr } = await rack.attempt([...command, '--app', 'shop', ...form])
      assert.deepEqual(needlesIn(stdout + stderr, everySecret), [], command.join(' '))
    }
  }
  assert.deepEqual(await needlesBelow(rack.directory, everySecret), [])
  assert.deepEqual(await needlesInCommandLines(everySecret), [])
  const web = await containerOf('web')
  assert.deepEqual(needlesIn(JSON.stringify(web.Config.Labels), everySecret), [])
  assert.deepEqual(needlesIn(JSON.stringify(web), fileSecrets), [])
  assert.deepEqual(await needlesInImage(docker, web.Image, everySecret), [])
}

test('contents of secrets are in no image, log, reply, label or command line, and not in clear where they rest', async () => {
  await assertNothingLeaks()
  // Those who look would find.
  const { Image } = await containerOf('web')
  assert.deepEqual(await needlesInImage(docker, Image, { page: pageText }), ['page'])
  assert.notDeepEqual(await needlesBelow(rack.directory, { host: 'shop.localhost' }), [])
  assert.notDeepEqual(await needlesInCommandLines({ command: 'httpd\0-f\0-p\u00008080' }), [])
})

test("a plan shows names and masks contents; a diff says that a content is another's", async () => {
  const { plan } = await rack.json<{ plan: { processes: { type: string; files: unknown[] }[] } }>(
    'releases',
    'promote',
    '--plan',
    '--app',
    'shop',
  )
  const files = plan.processes.find(({ type }) => type === 'web')?.files as { content: string }[]
  assert.deepEqual(
    files.map(({ content }) => content),
    Array(6).fill('****'),
  )
  await rack.run('env', 'set', 'MOTD=be very kind', '--app', 'shop')
  const diff = await rack.run('releases', 'diff', '--app', 'shop')
  assert.match(diff, /~ MOTD/)
  assert.match(
    diff,
    /~ web\n +variables: .*MOTD \(another value\).*\n +files: .*motd:\/etc\/shop\/motd \(440 1000:1001\) with other content/,
  )
  assert.ok(!diff.includes('be very kind') && !diff.includes('be kind'), diff)
  await rack.run('env', 'set', 'MOTD=be kind', '--app', 'shop')
})

test("a secret's other content replaces the processes that have it, and those that restart with them", async () => {
  await deployed()
  const first = await copies()
  const volumes = await fileVolumesOf('web')
  assert.equal(volumes.length, 3)
  await source.write({ 'parts/password': `${secretWords.password}-2` })
  await deployed()
  const second = await copies()
  assert.equal(await inside('data', 'cat /data/seen'), `${secretWords.password}-2`)
  const kept = (was: Record<string, string>, is: Record<string, string>) =>
    Object.keys(is)
      .filter((type) => was[type] === is[type])
      .sort()
  const left = await Promise.all(volumes.map(isVolume))
  assert.deepEqual(left, [false, false, false], 'contents of secrets that nobody has any more')
  // `web` says `restart: true` of `data`.
  assert.deepEqual(kept(first, second), ['reader', 'screen'])
  await source.write({ 'secrets/token': `${secretWords.token}-2` })
  await deployed()
  const third = await copies()
  assert.deepEqual(kept(second, third), ['data', 'screen'])
  await assertWebFiles((script) => inside('web', script), `${secretWords.token}-2`)
  const diff = await rack.run('releases', 'diff', '--app', 'shop')
  assert.match(diff, /token:\/run\/secrets\/token \(444 0:0\) with other content/)
  assert.deepEqual(needlesIn(diff, everySecret), [])
})

test('a rollback brings back what the files held', async () => {
  await rack.run('releases', 'rollback', '--app', 'shop')
  await assertWebFiles((script) => inside('web', script), secretWords.token)
  assert.equal(await inside('reader', 'cat /run/secrets/token'), secretWords.token)
  await source.write({ 'secrets/token': secretWords.token })
})

test('a process that the engine starts again keeps its files', async () => {
  for (const type of ['reader', 'web']) {
    const { State, RestartCount } = await containerOf(type)
    process.kill(State.Pid, 'SIGKILL')
    const isBack = async () => {
      const again = await containerOf(type)
      return again.RestartCount > RestartCount && again.State.Running
    }
    await until(isBack, { deadlineMs: 20_000, what: `${type} to be started again` })
  }
  assert.equal(await inside('reader', 'cat /run/secrets/token'), secretWords.token)
  await assertWebFiles((script) => inside('web', script), secretWords.token)
})

test('a profile that is turned on needs a build; then its process runs, and a rollback ends it', async () => {
  await rack.run('env', 'set', 'COMPOSE_PROFILES=audit', '--app', 'shop')
  const refused = await rack.attempt(['releases', 'promote', '--app', 'shop'])
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /runs auditor, of which its build \w+ made no image\n→ .*rack deploy --app shop/,
  )
  await deployed()
  assert.deepEqual(await running(), ['auditor', 'data', 'reader', 'screen', 'web'])
  assert.equal(await inside('auditor', 'cat /run/secrets/token'), secretWords.token)
  await rack.run('releases', 'rollback', '--app', 'shop')
  assert.deepEqual(await running(), ['data', 'reader', 'screen', 'web'])
})

test('a file or a variable that a secret names and that is not there is told before anything is sent', async () => {
  const builds = await rack.json<unknown[]>('builds', '--app', 'shop')
  await rm(join(source.path, 'parts/password'))
  const missing = await deploy()
  assert.equal(missing.code, 1)
  assert.match(
    missing.stderr,
    /parts\/data\.yml:19:\d+: error: secrets\.password\.file: the file "parts\/password" of the secret "password" does not exist/,
  )
  assert.match(missing.stderr, /\n→ /)
  assert.equal((await rack.json<unknown[]>('builds', '--app', 'shop')).length, builds.length)
  await source.write({ 'parts/password': secretWords.password })
  await rack.run('env', 'unset', 'API_KEY', '--app', 'shop')
  const [newest] = await rack.json<{ id: string }[]>('releases', '--app', 'shop')
  const unset = await rack.attempt(['releases', 'promote', newest?.id ?? '', '--app', 'shop'])
  assert.equal(unset.code, 1)
  assert.match(unset.stderr, /the secret "api_key" is the variable "API_KEY", which has no value/)
  assert.match(unset.stderr, /rack env set API_KEY=…[^]*\n→ .*rack env set --promote NAME=value/)
  await rack.run('env', 'set', `API_KEY=${secretWords.apiKey}`, '--app', 'shop')
})

test('kill -9 of the daemon in the middle of a deploy: it is finished or undone, with the files of its release', async () => {
  await deployed()
  const before = (await objectsOfRack(rack.name)).filter((name) => /^(container|volume)/.test(name)).length
  const word = `${secretWords.token}-3`
  await source.write({ 'secrets/token': word })
  const { child, said } = rack.start(['deploy', '--app', 'shop', source.path])
  await whenSays(child, /start (web|reader)/)
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await said
  await rack.run('start')
  const isSettled = async () => (await rack.json<{ status: string }>('status')).status === 'running'
  await until(isSettled, { deadlineMs: 60_000, what: 'the rack to settle' })
  const releases = new Set(
    (await processes()).filter(({ type }) => type === 'web').map(({ release }) => release),
  )
  assert.equal(releases.size, 1)
  assert.deepEqual(await running(), ['data', 'reader', 'screen', 'web'])
  const token = await inside('web', 'cat /run/secrets/token')
  assert.ok([word, secretWords.token].includes(token), 'the file is of another release')
  assert.equal(await inside('reader', 'cat /run/secrets/token'), token)
  await assertWebFiles((script) => inside('web', script), token)
  const left = async () =>
    (await objectsOfRack(rack.name)).filter((name) => /^(container|volume)/.test(name)).length === before
  await until(left, { deadlineMs: 30_000, what: 'what was left over to be swept' })
  await assertNothingLeaks()
})
