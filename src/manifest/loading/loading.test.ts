import { dockerFeatures } from '../../domain/docker-features.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readManifest } from '../read-manifest.ts'
import { readCompose, type Reading } from '../../../test/support/compose.ts'

/** Reads files by name; those but the first are what it names. */
function read(files: Record<string, string>, environment: Record<string, string> = {}): Reading {
  const [[path, text] = ['', ''], ...others] = Object.entries(files)
  return readCompose('', environment, { files: [{ path, text }], texts: Object.fromEntries(others) })
}

const images = ({ processes }: Reading) => processes.map(({ name, image }) => `${name} ${image}`)

test('extends lays a process over another one of the same file', () => {
  const { processes, problems } = readCompose(`services:
  base:
    image: nginx
    command: [one]
    environment: { A: 1, B: 2 }
    volumes: ["data:/a"]
  web:
    extends: base
    environment: [B=3]
    volumes: ["data:/b"]
  worker:
    extends: { service: web }
    command: two
    environment: !reset []
volumes: { data: }
`)
  assert.deepEqual(problems, [])
  const [, web, worker] = processes
  assert.deepEqual(web?.command, ['one'])
  assert.deepEqual(web?.environment, [
    { name: 'A', value: '1' },
    { name: 'B', value: '3' },
  ])
  assert.deepEqual(
    web?.mounts.map(({ path }) => path),
    ['/a', '/b'],
  )
  assert.equal(worker?.image, 'nginx')
  assert.deepEqual(worker?.command, ['two'])
  assert.deepEqual(worker?.environment, [])
})

test('extends reaches into other files, whose paths start in their own folder', () => {
  const { processes, problems } = read({
    'compose.yml':
      'services:\n  web:\n    extends: { file: common/base.yml, service: app }\n    ports: ["80:3000"]\n',
    'common/base.yml':
      'services:\n  app:\n    extends: { file: root.yml, service: root }\n    build: ./app\n    env_file: app.env\n  other:\n    no_such_key: 1\n',
    'common/root.yml': 'services:\n  root:\n    image: shop\n    command: run\n',
    'common/app.env': 'A=1\n',
  })
  assert.deepEqual(problems, [])
  const [web] = processes
  assert.equal(processes.length, 1)
  assert.equal(web?.build?.context, 'common/app')
  assert.deepEqual(web?.environment, [{ name: 'A', value: '1' }])
  assert.deepEqual(web?.command, ['run'])
})

test('files of variables of one name in two folders are two', () => {
  const { processes, problems } = read({
    'c.yml': 'services:\n  web:\n    extends: { file: s/base.yml, service: app }\n    env_file: e.env\n',
    's/base.yml': 'services:\n  app: { image: x, env_file: e.env }\n',
    'e.env': 'A=1\nB=$S\n',
    's/e.env': 'A=2\nS=3\n',
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes[0]?.environment.map(({ name, value }) => `${name}=${value}`),
    ['A=1', 'B=3', 'S=3'],
  )
})

test('a process extends one that comes with an included file', () => {
  const reading = read({
    'c.yml': 'include: [s/base.yml]\nservices:\n  web: { extends: base, command: go }\n',
    's/base.yml': 'services:\n  base: { image: x, build: . }\n',
  })
  assert.deepEqual(reading.problems, [])
  const web = reading.processes.find(({ name }) => name === 'web')
  assert.deepEqual([web?.image, web?.build?.context, web?.command], ['x', 's', ['go']])
})

test('what a later file takes away is not extended', () => {
  const files = [
    { path: 'a.yml', text: 'services: { web: { extends: base }, base: { image: x } }\n' },
    { path: 'b.yml', text: 'services: { web: { extends: !reset null } }\n' },
  ]
  const reading = readCompose('', {}, { files })
  assert.deepEqual(reading.problems, [])
  assert.deepEqual(images(reading), ['web x', 'base x'])
})

const extendMistakes: Record<string, [string, RegExp]> = {
  'a process that is not there': [
    'extends: bas',
    /3:14: error: .*there is no process "bas" in c\.yml; did you mean "base"\?/,
  ],
  'a process that is not in the other file': [
    'extends: { file: common.yml, service: wep }',
    /there is no process "wep" in common\.yml; did you mean "web"\?/,
  ],
  'a file that is not there': [
    'extends: { file: nope.yml, service: web }',
    /the file "nope\.yml" does not exist; is the path right\? it starts in the source directory/,
  ],
  'a file outside': [
    'extends: { file: ../x.yml, service: web }',
    /"\.\.\/x\.yml" lies outside of the source directory/,
  ],
  'a URL': ['extends: { file: "https://x.test/a.yml", service: web }', /is not in the source/],
  'no name': ['extends: { file: common.yml }', /`extends` needs the name of a process/],
  itself: ['extends: web', /these processes extend each other: web \(c\.yml\) → web \(c\.yml\)/],
  'a list': ['extends: [base]', /expected text, but found a list/],
}

for (const [name, [line, expected]] of Object.entries(extendMistakes)) {
  test(`extends of ${name} is an error with its place`, () => {
    const text = `services:\n  web:\n    ${line}\n    image: x\n  base:\n    image: y\n`
    const texts = { 'common.yml': 'services:\n  web:\n    image: z\n' }
    const { problems } = readCompose(text, {}, { texts })
    assert.match(problems.join('\n'), expected)
    assert.equal(problems.length, 1)
  })
}

test('a loop of extends is named in full, through files too', () => {
  const { problems } = read({
    'a.yml': 'services:\n  web:\n    extends: { file: b.yml, service: app }\n    image: x\n',
    'b.yml': 'services:\n  app:\n    extends: { file: c.yml, service: app }\n',
    'c.yml': 'services:\n  app:\n    extends: { file: b.yml, service: app }\n',
  })
  assert.deepEqual(problems, [
    '3:14: error: services.app.extends: these processes extend each other: app (b.yml) → app (c.yml) → app (b.yml)',
  ])
})

test('a chain of extends that is absurdly long ends', () => {
  const links = Array.from({ length: 100 }, (_, at) => `  p${at}:\n    extends: p${at + 1}\n`)
  const { problems } = readCompose(`services:\n${links.join('')}  p100:\n    image: x\n`)
  assert.match(problems[0] ?? '', /more than 32 processes extend one another/)
})

test('what extends repeats is bounded, however little text it takes', () => {
  const variables = Array.from({ length: 600 }, (_, at) => `V${at}=1`).join(', ')
  const copies = Array.from({ length: 400 }, (_, at) => `  p${at}: { extends: base }\n`).join('')
  const many = readCompose(`services:\n  base: { image: x, environment: [${variables}] }\n${copies}`)
  const long = readCompose(`services:\n  base: { image: x, command: ${'y'.repeat(40_000)} }\n${copies}`)
  for (const { problems } of [many, long]) {
    assert.match(problems[0] ?? '', /what `extends` and `include` repeat comes to too many values/)
    assert.equal(problems.length, 1)
  }
})

test('an app has at most 500 processes, of one file or of several', () => {
  const some = (prefix: string, count: number) =>
    `services:\n${Array.from({ length: count }, (_, at) => `  ${prefix}${at}: { image: x }\n`).join('')}`
  assert.deepEqual(readCompose(some('p', 500)).problems, [])
  assert.deepEqual(readCompose(some('p', 501)).problems, [
    '502:3: error: services.p500: an app has at most 500 processes',
  ])
  const { problems } = read({ 'c.yml': `include: [a.yml]\n${some('p', 300)}`, 'a.yml': some('q', 201) })
  assert.match(problems[0] ?? '', /at most 500 processes/)
})

test('include brings the processes and volumes of further files, with paths and variables of their own', () => {
  const { problems, processes, volumes } = read(
    {
      'compose.yml': `include:
  - db/compose.yml
  - path: [cache/compose.yml, cache/more.yml]
    project_directory: elsewhere
    env_file: cache/values.env
services:
  web:
    image: web
    depends_on: [db, cache]
`,
      'db/compose.yml':
        'services:\n  db:\n    image: "postgres:${TAG}"\n    build: { context: image }\n    volumes: ["data:/d"]\nvolumes:\n  data:\n',
      'db/.env': 'TAG=17\n',
      'cache/compose.yml': 'services:\n  cache:\n    image: "redis:${TAG}"\n    build: .\n',
      'cache/more.yml': 'services:\n  cache:\n    command: "serve ${NAME}"\n',
      'cache/values.env': 'TAG=7\nNAME=from-file\n',
    },
    { NAME: 'from-app' },
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes.map(({ name, image, build }) => `${name} ${image} ${build?.context}`),
    ['web web undefined', 'db postgres:17 db/image', 'cache redis:7 elsewhere'],
  )
  assert.deepEqual(processes[2]?.command, ['serve', 'from-app'])
  assert.deepEqual(volumes, ['data'])
})

test('files of variables of an include know those before them, and the last one wins', () => {
  const { processes, problems } = read({
    'c.yml': 'include: [{ path: a.yml, env_file: [one.env, two.env] }]\n',
    'a.yml': 'services: { web: { image: "x:$A-$B" } }\n',
    'one.env': 'A=1\n',
    'two.env': 'B=$A\nA=2\n',
  })
  assert.deepEqual(problems, [])
  assert.equal(processes[0]?.image, 'x:2-1')
})

test('a file that only includes is an app', () => {
  const reading = read({ 'c.yml': 'include: [a.yml]\n', 'a.yml': 'services: { web: { image: x } }\n' })
  assert.deepEqual(reading.problems, [])
  assert.deepEqual(images(reading), ['web x'])
})

test('the same file by two ways is included once, a clash is named with both places', () => {
  const shared = 'services: { db: { image: x } }\n'
  const diamond = read({
    'c.yml': 'include: [a.yml, b.yml]\n',
    'a.yml': 'include: [shared.yml]\n',
    'b.yml': 'include: [shared.yml]\n',
    'shared.yml': shared,
  })
  assert.deepEqual(diamond.problems, [])
  assert.deepEqual(images(diamond), ['db x'])
  const clash = read({ 'c.yml': 'include: [a.yml]\nservices:\n  db: { image: y }\n', 'a.yml': shared })
  assert.match(
    clash.problems[0] ?? '',
    /^1:11: error: include\[0\]: "db" of `services` stands at c\.yml:3 and, differently, at a\.yml:1/,
  )
})

const includeMistakes: Record<string, [string, RegExp]> = {
  'a file that is not there': ['[nope.yml]', /the file "nope\.yml" does not exist/],
  'a URL': ['["https://x.test/c.yml"]', /"https:\/\/x\.test\/c\.yml" is refused: nothing is fetched/],
  'an artifact': ['["oci://x.test/c"]', /is refused: nothing is fetched/],
  'a repository': ['["git@x.test:a/b.git"]', /is refused: nothing is fetched/],
  'a file outside': ['[../c.yml]', /"\.\.\/c\.yml" lies outside of the source directory/],
  'variables that are not there': [
    '[{ path: a.yml, env_file: x.env }]',
    /the file "x\.env" does not exist; create it/,
  ],
  nothing: ['[{ env_file: x.env }]', /`include` needs the path of a compose file/],
  itself: ['[c.yml]', /these files include each other: c\.yml → c\.yml/],
  'an unknown key': [
    '[{ path: a.yml, projct_directory: x }]',
    /unknown key "projct_directory"; did you mean "project_directory"\?/,
  ],
}

for (const [name, [value, expected]] of Object.entries(includeMistakes)) {
  test(`include of ${name} is an error with its place`, () => {
    const texts = { 'a.yml': 'services: { db: { image: x } }\n' }
    const { problems } = readCompose(`include: ${value}\nservices: { web: { image: x } }\n`, {}, { texts })
    assert.match(problems.join('\n'), expected)
    assert.equal(problems.length, 1)
  })
}

test('a loop of includes is named in full', () => {
  const { problems } = read({
    'c.yml': 'include: [a.yml]\n',
    'a.yml': 'include: [b.yml]\n',
    'b.yml': 'include: [a.yml]\n',
  })
  assert.deepEqual(problems, [
    'b.yml:1:11: error: include[0]: these files include each other: a.yml → b.yml → a.yml; remove one include',
  ])
})

test('a chain of thousands of extends neither throws nor takes long', () => {
  const links = Array.from({ length: 6000 }, (_, at) => `  p${at}: { extends: p${at + 1} }\n`)
  const { problems } = readCompose(`services:\n${links.join('')}  p6000: { image: x }\n`)
  assert.notEqual(problems.length, 0)
})

test('the same include many times over costs no more than once', () => {
  const text = `include: [${'a.yml, '.repeat(400)}a.yml]\n`
  const before = performance.now()
  const { problems } = read({ 'c.yml': text, 'a.yml': text })
  assert.match(problems[0] ?? '', /these files include each other: a\.yml → a\.yml/)
  assert.ok(performance.now() - before < 1500)
})

test('includes that unfold without end are cut short', () => {
  const files: Record<string, string> = { 'c.yml': 'include: [f0.yml]\n' }
  for (let at = 0; at < 20; at += 1)
    files[`f${at}.yml`] = `include: [f${at + 1}.yml, { path: f${at + 1}.yml, env_file: other.env }]\n`
  files['f20.yml'] = 'services: { web: { image: x } }\n'
  files['other.env'] = ''
  assert.match(read(files).problems[0] ?? '', /an app is made of at most 100 files/)
})

test('several files start their paths in the folder of the first', () => {
  const files = [
    { path: 'a.yml', text: 'services: { web: { build: one } }\n' },
    { path: 'deploy/b.yml', text: 'services: { web: { build: two }, worker: { build: . } }\n' },
  ]
  const { processes } = readCompose('', {}, { files })
  assert.deepEqual(
    processes.map(({ build }) => build?.context),
    ['two', '.'],
  )
})

test('a later file may hold volumes alone', () => {
  const files = [
    { path: 'a.yml', text: 'services: { web: { image: x, volumes: ["d:/d"] } }\n' },
    { path: 'b.yml', text: 'volumes: { d: }\n' },
  ]
  assert.deepEqual(readCompose('', {}, { files }).problems, [])
})

test('profiles are on by COMPOSE_PROFILES, from the app or .env', () => {
  const text = `services:
  web: { image: x }
  debug: { image: y, profiles: [debug, dev] }
  seed: { image: z, profiles: [seed] }
`
  const names = (value: string) =>
    readCompose(text, { COMPOSE_PROFILES: value }).processes.map(({ name }) => name)
  assert.deepEqual(names(''), ['web'])
  assert.deepEqual(names('dev'), ['web', 'debug'])
  assert.deepEqual(names(' seed , dev'), ['web', 'debug', 'seed'])
  assert.deepEqual(names('*'), ['web', 'debug', 'seed'])
  const { processes, problems } = readCompose(text, {}, { dotenv: 'COMPOSE_PROFILES=seed\n' })
  assert.equal(processes.length, 2)
  assert.deepEqual(problems, [
    '3:32: warning: services.debug.profiles: the process "debug" is left out: none of its profiles is on; rack env set COMPOSE_PROFILES=debug turns it on',
  ])
})

test('a variable without a value in a file of variables is told at its line, without a word of it', () => {
  const text = 'services: { web: { image: x, env_file: web.env } }\n'
  const more = { dotenv: 'A=1\nPASSWORD=pa$word\n', texts: { 'web.env': 'TOKEN="ab${cd}"\n' } }
  const said = 'a variable in this line has no value; an empty text is used; put the value in single quotes'
  const { processes, problems } = readCompose(text, {}, more)
  assert.deepEqual(processes[0]?.environment, [{ name: 'TOKEN', value: 'ab' }])
  assert.deepEqual(
    problems.map((problem) => problem.split(' if ')[0]),
    [`web.env:1:1: warning: services.web.env_file: ${said}`, `.env:2:1: warning: ${said}`],
  )
  assert.deepEqual(readCompose(text, { word: '', cd: '' }, more).problems, [])
})

test('the project of Compose is the app, unless the environment or .env says otherwise', () => {
  const text = 'services: { web: { image: x, hostname: "${COMPOSE_PROJECT_NAME}-web" } }\n'
  const hostname = (...given: [environment?: Record<string, string>, more?: object]) =>
    readCompose(text, given[0] ?? {}, { app: 'shop', ...given[1] }).processes[0]?.container.hostname
  assert.equal(hostname(), 'shop-web')
  assert.equal(hostname({}, { dotenv: 'COMPOSE_PROJECT_NAME=local\n' }), 'local-web')
  assert.equal(
    hostname({ COMPOSE_PROJECT_NAME: 'own' }, { dotenv: 'COMPOSE_PROJECT_NAME=local\n' }),
    'own-web',
  )
})

test('an include whose path may still come is an error, since nothing can be read without it', () => {
  const { manifest, problems } = readManifest(
    {
      files: [{ path: 'c.yml', text: 'include: ${B:?}\nservices:\n' }],
      dotenv: null,
      texts: {},
      contents: {},
    },
    { environment: { B: '' }, features: dockerFeatures, lenientVariables: true },
  )
  assert.equal(manifest, null)
  assert.ok(problems.some(({ severity }) => severity === 'error'))
})

test('what includes repeat is bounded, of compose files and of files of variables', () => {
  const many = (count: number, entry: (index: number) => string) =>
    `include:\n${Array.from({ length: count }, (_, index) => `  - ${entry(index)}\n`).join('')}`
  const app = Array.from({ length: 400 }, (_, index) => `  s${index}: { image: x, user: u }\n`).join('')
  const again = many(90, (index) => `{ path: a.yml, project_directory: d${index} }`)
  assert.match(
    readCompose(again, {}, { texts: { 'a.yml': `services:\n${app}` } }).problems.join('\n'),
    /what `extends` and `include` repeat comes to too many values/,
  )
  const files = `path: a.yml, env_file: [${'a.env, '.repeat(900)}]`
  const texts = { 'a.yml': 'services: { web: { image: x } }\n', 'a.env': 'A=1\n'.repeat(900) }
  assert.match(
    readCompose(
      many(1, () => `{ ${files} }`),
      {},
      { texts },
    ).problems.join('\n'),
    /too many variables are taken from files/,
  )
  const few = many(10, (index) => `{ path: a.yml, project_directory: d${index}, env_file: a.env }`)
  assert.deepEqual(readCompose(few, {}, { texts }).problems, [])
})

test('the parts of all texts are counted together', () => {
  const texts = Object.fromEntries(
    Array.from({ length: 6 }, (_, index) => [`f${index}.yml`, `x-list: [${'a,'.repeat(2000)}]\n`]),
  )
  const text = `include: [${Object.keys(texts).join(', ')}]\nservices: { web: { image: x } }\n`
  const { problems } = readCompose(text, {}, { texts })
  assert.match(problems.join('\n'), /f2\.yml:1:1: error: .*too many too small parts/)
  assert.doesNotMatch(problems.join('\n'), /f1\.yml/)
})

test('a list of includes is bounded, the same one again included', () => {
  const text = `include: [${'a.yml, '.repeat(501)}]\nservices: { web: { image: x } }\n`
  const { problems } = read({ 'c.yml': text, 'a.yml': 'services: {}\n' })
  assert.match(problems.join('\n'), /^1:10: error: include: a file has at most 500 includes$/)
})
