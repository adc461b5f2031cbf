import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { ask } from '../support/load.ts'
import { makeSource, webFiles } from '../support/source.ts'

let rack: InstalledRack

before(async () => {
  rack = await installRack(['--cpu', '1024', '--memory', '1024M'])
})
after(() => rack[Symbol.asyncDispose]())

const sleeper = 'image: busybox:1\n    command: sleep 600\n    stop_grace_period: 1s\n'

/** Deploys files under an app's name; what was printed comes in one piece. */
async function deployFiles(app: string, files: Record<string, string>) {
  await using source = await makeSource(files)
  const said = await rack.attempt(['deploy', '--app', app, source.path])
  return { ...said, text: said.stdout + said.stderr }
}
const deployCompose = (app: string, compose: string) => deployFiles(app, { 'docker-compose.yml': compose })
const appNames = async () => (await rack.json<{ name: string }[]>('apps')).map(({ name }) => name)

const unreadable: [string, string, RegExp][] = [
  ['is empty', '', /docker-compose\.yml:1:1: error: the file is empty/],
  ['is no YAML', 'services:\n  web: [\n  x: y\n', /docker-compose\.yml:3:3: error: /],
  ['is indented with a tab', 'services:\n\tweb:\n\t\timage: a\n', /docker-compose\.yml:2:1: error: a tab /],
  ['is a list', '- web\n', /docker-compose\.yml:1:1: error: /],
  ['has no process', 'services: {}\n', /docker-compose\.yml:1:\d+: error: /],
]
for (const [what, compose, reason] of unreadable) {
  test(`a compose file that ${what} is refused with its line before an app is made`, async () => {
    const { code, stdout, stderr } = await deployCompose('unread', compose)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, reason)
    assert.match(stderr, /→ .*rack manifest check/)
    assert.ok(!(await appNames()).includes('unread'))
  })
}

test('a directory without a compose file says so, one that is not there too', async () => {
  const none = await deployFiles('nothing', { 'README.md': 'hello\n' })
  assert.equal(none.code, 1)
  assert.match(none.stderr, /has no compose file[^]*→ .*rack deploy DIRECTORY/)
  const nowhere = await rack.attempt(['deploy', '--app', 'nothing', '/no/such/directory'])
  assert.equal(nowhere.code, 2)
  assert.match(nowhere.stderr, /no such directory/)
  assert.ok(!(await appNames()).includes('nothing'))
})

test('all problems of a compose file come at once, by line, each with its place and what was meant', async () => {
  const compose = `services:
  web:
    imge: busybox:1
    ports: ["99999999:80"]
    links: [db]
  two:
    image: busybox:1
    privileged: true
    mem_limit: lots
netwroks: {}
`
  const { code, stderr } = await deployCompose('many', compose)
  assert.equal(code, 1)
  const places = [...stderr.matchAll(/^docker-compose\.yml:(\d+):\d+: error: /gm)].map(([, line]) =>
    Number(line),
  )
  assert.deepEqual(places, [2, 3, 4, 5, 8, 9, 10])
  assert.match(stderr, /did you mean "image"/)
  assert.match(stderr, /did you mean "networks"/)
  assert.match(stderr, /no process "db"/)
  assert.match(stderr, /the rack's policy does not allow that; .*rack policy set --allow-privileged/)
})

test('a required variable that is missing stops the promote, and is named by process; once set it goes on', async () => {
  const web = `${sleeper}    environment: [SECRET_KEY, OTHER]\n`
  const refused = await deployCompose(
    'needy',
    `services:\n  web:\n    ${web}  worker:\n    ${sleeper}    environment: [SECRET_KEY]\n`,
  )
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /web: OTHER, SECRET_KEY\n\s+worker: SECRET_KEY\n→ rack env set .*SECRET_KEY=/)
  assert.deepEqual(await rack.json('ps', '--app', 'needy'), [])
  await rack.run('env', 'set', 'SECRET_KEY=s', 'OTHER=o', '--app', 'needy', '--promote')
  assert.equal((await rack.json<unknown[]>('ps', '--app', 'needy')).length, 2)
  await rack.run('apps', 'delete', 'needy', '--yes')
})

test('an image that cannot be had ends the build with its name and the reason; no release', async () => {
  const { code, text } = await deployCompose(
    'pull',
    'services:\n  web:\n    image: nowhere.invalid/thing:9\n',
  )
  assert.equal(code, 1)
  assert.match(text, /error: web: .*nowhere\.invalid\/thing:9 cannot be pulled: .+\n→ /)
  assert.deepEqual(await rack.json('releases', '--app', 'pull'), [])
})

test('a build whose Dockerfile is missing names the process and the file', async () => {
  const whole = await deployCompose('nofile', 'services:\n  web:\n    build: .\n')
  assert.equal(whole.code, 1)
  assert.match(whole.stderr, /error: web: the source has no Dockerfile\n→ /)
  const named = await deployFiles('nofile', {
    'docker-compose.yml': 'services:\n  web:\n    build: { context: sub, dockerfile: Docker.web }\n',
    'sub/file': 'x',
  })
  assert.equal(named.code, 1)
  assert.match(named.stderr, /error: web: .*sub\/Docker\.web/)
  const context = await deployCompose('nofile', 'services:\n  web:\n    build: ./absent\n')
  assert.equal(context.code, 1)
  assert.match(context.stderr, /absent/)
  assert.deepEqual(await rack.json('releases', '--app', 'nofile'), [])
})

test("a directory's name that cannot be an app's is a usage mistake that says how to name the app", async () => {
  await using source = await makeSource({ '2024/docker-compose.yml': `services:\n  web:\n    ${sleeper}` })
  const guessed = await rack.attempt(['deploy'], { cwd: join(source.path, '2024') })
  assert.equal(guessed.code, 2)
  assert.match(guessed.stderr, /"2024", cannot be one\n→ .*--app NAME/)
  const said = await rack.attempt(['deploy', '--app', 'Not_A_Name', join(source.path, '2024')])
  assert.notEqual(said.code, 0)
  assert.match(said.stderr, /Not_A_Name[^]*→ /)
  await mkdir(join(source.path, '2024/.rack'))
  await source.write({ '2024/.rack/app': 'written\n' })
  const written = await rack.attempt(['ps'], { cwd: join(source.path, '2024') })
  assert.match(written.stderr, /no app "written"/)
})

const strangers = [
  'apps info nope',
  'apps delete nope --yes',
  'apps lock nope',
  'apps unlock nope',
  'apps cancel nope',
  'builds --app nope',
  'builds logs BAAAAAAAAAA --app nope',
  'builds cancel BAAAAAAAAAA --app nope',
  'releases --app nope',
  'releases info RAAAAAAAAAA --app nope',
  'releases manifest RAAAAAAAAAA --app nope',
  'releases diff --app nope',
  'releases promote RAAAAAAAAAA --app nope',
  'releases rollback --app nope',
  'env --app nope',
  'env get A --app nope',
  'env set A=b --app nope',
  'env unset A --app nope',
  'ps --app nope',
  'logs nope',
  'scale --app nope',
  'scale web=2 --app nope',
  'restart --app nope',
  'run web --app nope -- true',
  'exec web --app nope -- true',
  'open nope',
  'capacity --if web=6 --app nope',
]
test('each command of an app that does not exist says so and what to type', async () => {
  for (const line of strangers) {
    const { code, stdout, stderr } = await rack.attempt(line.split(' '))
    assert.deepEqual([line, code, stdout], [line, 1, ''])
    assert.match(stderr, /^error: there is no app "nope"\n→ .*rack apps/, line)
  }
})

const mistakes: [string, RegExp][] = [
  ['dploy', /there is no command "rack dploy"\n→ Did you mean "rack deploy"\?/],
  ['frobnicate', /there is no command "rack frobnicate"\n→ rack help/],
  ['apps delet shop', /there is no command "rack apps delet"\n→ Did you mean "rack apps delete"\?/],
  ['deploy --fil x', /unknown option '--fil'[^]*--file[^]*→ rack deploy --help/],
  ['ps --josn', /unknown option '--josn'[^]*--json/],
  ['apps info a b c', /too many arguments[^]*→ rack apps info --help/],
  ['run', /missing required argument 'type'\n→ rack run --help/],
  ['install --http-port many', /--http-port: "many" is not a whole number/],
  ['scale web=lots --app shop', /web=lots/],
  ['logs --since yesterdayish --app shop', /"yesterdayish" is no time\n→ Such as 10m/],
]
for (const [line, reason] of mistakes) {
  test(`a usage mistake exits 2 and says what was meant: rack ${line}`, async () => {
    const { code, stdout, stderr } = await rack.attempt(line.split(' '))
    assert.deepEqual([code, stdout], [2, ''], stderr)
    assert.match(stderr, reason)
  })
}

test('a second change while one runs is refused with who, what and since when; the first one goes on', async () => {
  assert.equal((await deployFiles('twice', webFiles('one'))).code, 0)
  await rack.run('env', 'set', 'A=1', '--app', 'twice')
  const release = (await rack.json<{ id: string }[]>('releases', '--app', 'twice'))[0]?.id ?? ''
  const attempts = [
    rack.attempt(['releases', 'promote', release, '--app', 'twice']),
    rack.attempt(['restart', '--app', 'twice']),
  ]
  const [first, second] = await Promise.all(attempts)
  assert.ok(first && second)
  assert.deepEqual(new Set([first.code, second.code]), new Set([0, 1]), first.stderr + second.stderr)
  const refused = first.code === 0 ? second : first
  assert.match(refused.stderr, /^error: .*(promote|restart).*(since|ago|seconds?)/m)
  assert.match(refused.stderr, /install/)
  assert.match(refused.stderr, /→ .*(rack apps cancel|wait)/i)
})

test('a scale and a deploy that do not fit are refused with arithmetic; nothing is touched, the release is there', async () => {
  const before = await rack.json<{ id: string }[]>('ps', '--app', 'twice')
  const scaled = await rack.attempt(['scale', 'web=80', '--app', 'twice'])
  assert.equal(scaled.code, 1)
  assert.match(scaled.stderr, /needs[^]*free[^]*→ /)
  assert.deepEqual(await rack.json('ps', '--app', 'twice'), before)

  const large = { 'docker-compose.yml': `services:\n  web:\n    ${sleeper}    deploy: { replicas: 20 }\n` }
  const deployed = await deployFiles('large', large)
  assert.equal(deployed.code, 1)
  assert.match(deployed.stderr, /needs[^]*free[^]*→ /)
  assert.deepEqual(await rack.json('ps', '--app', 'large'), [])
  const [release] = await rack.json<{ id: string; live: boolean }[]>('releases', '--app', 'large')
  assert.equal(release?.live, false)
  assert.match(deployed.stderr, new RegExp(release.id))
  assert.equal((await ask({ port: rack.httpPort, host: 'twice.localhost' })).body, 'one')
})
