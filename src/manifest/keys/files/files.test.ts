import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../../test/support/compose.ts'
import { Problems } from '../../problems.ts'
import { parseYaml } from '../../syntax/parse-yaml.ts'
import { childOf } from '../../syntax/tree.ts'
import { contentFilesOf, labelFilesOf } from './named-files.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const contents = { 'secrets/token.txt': base64('t0ken'), 'app.conf': base64('a = 1\n'), empty: '' }
const declarations = `
secrets:
  token: { file: ./secrets/token.txt }
  key: { environment: API_KEY }
configs:
  app: { file: app.conf }
  inline: { content: "port=\${PORT:-80}\\n" }
  empty: { file: empty }
`

function read(
  keys: string,
  more: Parameters<typeof readCompose>[2] = {},
  environment: Record<string, string> = { API_KEY: 'k' },
  declared = declarations,
) {
  const text = `services:\n  web:\n    image: x\n    ${keys}\n${declared.trimStart()}`
  return readCompose(text, environment, { contents, ...more })
}

test('configs and secrets become files, in both syntaxes', () => {
  const plain = { mode: 0o444, uid: 0, gid: 0 }
  const token = { content: base64('t0ken'), origin: { file: 'secrets/token.txt' } }
  const app = { content: base64('a = 1\n'), origin: { file: 'app.conf' } }
  const key = { content: base64('k'), origin: { environment: 'API_KEY' } }
  const inline = { content: base64('port=80\n'), origin: 'content' }
  const empty = { content: '', origin: { file: 'empty' } }
  const table: [keys: string, files: object[]][] = [
    [
      'secrets: [token, key]',
      [
        { kind: 'secret', name: 'token', path: '/run/secrets/token', ...token, ...plain },
        { kind: 'secret', name: 'key', path: '/run/secrets/key', ...key, ...plain },
      ],
    ],
    [
      'secrets: [{ source: token, target: db/pw, uid: "103", gid: 104, mode: 0440 }]',
      [
        {
          kind: 'secret',
          name: 'token',
          path: '/run/secrets/db/pw',
          ...token,
          mode: 0o440,
          uid: 103,
          gid: 104,
        },
      ],
    ],
    [
      'configs: [app, { source: inline, target: /etc/app.conf }, { source: empty, target: e }]',
      [
        { kind: 'config', name: 'app', path: '/app', ...app, ...plain },
        { kind: 'config', name: 'inline', path: '/etc/app.conf', ...inline, ...plain },
        { kind: 'config', name: 'empty', path: '/e', ...empty, ...plain },
      ],
    ],
  ]
  for (const [keys, files] of table) {
    const { processes, problems } = read(keys)
    assert.deepEqual(problems, [], keys)
    assert.deepEqual(processes[0]?.files, files, keys)
  }
  const { processes, problems } = read('secrets: [key]', { dotenv: 'API_KEY=from the file' }, {})
  assert.deepEqual([processes[0]?.files[0]?.content, problems], [base64('from the file'), []])
})

test('a folder is each of its files, below the target', () => {
  const { processes, problems } = read(
    'secrets: [{ source: certs, target: /tls, mode: 0400 }]\n    configs: [site]',
    {
      contents: {
        ...contents,
        'tls/ca.pem': base64('ca'),
        'tls/old/ca.pem': base64('old'),
        'tlsx/no': base64('no'),
      },
    },
    { API_KEY: 'k' },
    'secrets: { certs: { file: ./tls } }\nconfigs: { site: { file: ./tls/old/ } }\n',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes[0]?.files.map(({ kind, name, path, origin, mode }) => [kind, name, path, origin, mode]),
    [
      ['config', 'site.ca.pem', '/site/ca.pem', { file: 'tls/old/ca.pem' }, 0o444],
      ['secret', 'certs.ca.pem', '/tls/ca.pem', { file: 'tls/ca.pem' }, 0o400],
      ['secret', 'certs.old.ca.pem', '/tls/old/ca.pem', { file: 'tls/old/ca.pem' }, 0o400],
    ],
  )
  const large = { 'tls/big': Buffer.alloc(600 * 1024).toString('base64') }
  const refused = read('secrets: [certs]', { contents: large }, {}, 'secrets: { certs: { file: tls } }\n')
  assert.match(refused.problems.join('\n'), /the secret "certs.big" is larger than 500 KiB/)
})

test('a mode is octal where Compose reads it so', () => {
  const table: [mode: string, bits: number, warning?: RegExp][] = [
    ['0440', 0o440],
    ['0o440', 0o440],
    ['"0440"', 0o440],
    ['"440"', 0o440],
    ['288', 288],
    ['440', 440, /440 is a decimal number, which gives the mode 0670; write 0440, or "440" in quotes/],
    ['0', 0],
  ]
  for (const [mode, bits, warning] of table) {
    const { processes, problems } = read(`secrets: [{ source: token, mode: ${mode} }]`)
    assert.equal(processes[0]?.files[0]?.mode, bits, mode)
    if (warning) assert.match(problems.join('\n'), warning)
    else assert.deepEqual(problems, [], mode)
  }
  for (const mode of ['rw', '0999', '"888"', '-1', '4096', '0o77777'])
    assert.match(
      read(`secrets: [{ source: token, mode: ${mode} }]`).problems.join('\n'),
      /error: .*is not a file mode; write 0440/,
      mode,
    )
})

test('what cannot become a file is refused', () => {
  const table: [keys: string, problem: RegExp][] = [
    ['secrets: [tokn]', /4:15: error: .*the secret "tokn" is not declared; did you mean "token"/],
    ['configs: [token]', /the config "token" is not declared; declare it under `configs:`/],
    ['secrets: [{ target: x }]', /a secret needs its name/],
    ['secrets: [token, { source: key, target: token }]', /two files have the path "\/run\/secrets\/token"/],
    ['configs: [{ source: app, target: /etc/ }]', /"\/etc\/" is not the path of a file/],
    ['configs: [{ source: app, target: ../x }]', /is not the path of a file/],
    ['secrets: [{ source: token, uid: root }]', /not a whole number/],
    ['secrets: [{ source: token, mod: 1 }]', /unknown key "mod"; did you mean "mode"/],
    ['tmpfs: /app\n    configs: [app]', /the config "app" lies where a volume is mounted/],
  ]
  for (const [keys, pattern] of table) assert.match(read(keys).problems.join('\n'), pattern, keys)
})

test('a declared file has one content, which exists', () => {
  const table: [secret: string, problem: RegExp][] = [
    ['{ file: ./gone }', /3:14: error: secrets.s.file: the file "gone" of the secret "s" does not exist/],
    ['{ file: ../x }', /outside of the source directory/],
    ['{ file: /etc/passwd }', /outside of the source directory/],
    ['{ file: "" }', /a file needs a path/],
    ['{ file: a, environment: B }', /has both `file` and `environment`; keep one/],
    ['{ name: x }', /3:3: error: secrets.s: the secret "s" has no content; write one of: `file:`, `env/],
    ['', /the secret "s" has no content/],
    ['{ content: x }', /unknown key "content"/],
    [
      '{ external: true }',
      /"external" is refused: a secret belongs to its app; set its value with `rack env/,
    ],
    ['{ driver: vault }', /"driver" is refused/],
    [
      '{ environment: GONE }',
      /the secret "s" is the variable "GONE", which has no value; rack env set GONE=…/,
    ],
    ['{ file: big }', /the secret "s" is larger than 500 KiB/],
  ]
  const big = Buffer.alloc(500 * 1024 + 1).toString('base64')
  for (const [secret, pattern] of table) {
    const text = `services: { web: { image: x, secrets: [s] } }\nsecrets:\n  s: ${secret}\n`
    const { problems } = readCompose(text, {}, { contents: { big } })
    assert.match(problems.join('\n'), pattern, secret)
    assert.equal(problems.length, 1, problems.join('\n'))
    const unused = readCompose(text.replace(', secrets: [s]', ''), {}, { contents: {} })
    if (!/refused|unknown/.test(pattern.source)) assert.deepEqual(unused.problems, [], secret)
  }
})

test('a secret from a variable that comes later lets a build go on, and stops a promote', () => {
  const text = 'services: { web: { image: x, secrets: [s] } }\nsecrets: { s: { environment: LATER } }\n'
  assert.match(readCompose(text).problems[0] ?? '', /error: secrets.s.environment/)
  const { processes, problems } = readCompose(text, {}, { lenientVariables: true })
  assert.match(problems[0] ?? '', /warning: secrets.s.environment/)
  assert.equal(processes.length, 1)
})

test('all files of an app together are bounded, each counted once', () => {
  const large = Buffer.alloc(450 * 1024).toString('base64')
  const names = ['a', 'b', 'c', 'd', 'e']
  const text = (count: number) => `services:
  one: { image: x, configs: [${names.slice(0, count).join(', ')}] }
  two: { image: x, configs: [${names.slice(0, count).join(', ')}] }
configs: { ${names.map((name) => `${name}: { file: ${name} }`).join(', ')} }
`
  const all = Object.fromEntries(names.map((name) => [name, large]))
  assert.deepEqual(readCompose(text(4), {}, { contents: all }).problems, [])
  assert.match(
    readCompose(text(5), {}, { contents: all }).problems.join('\n'),
    /2:42: error: services.one.configs\[4\]: the configs and secrets of the app are larger than 2048 KiB/,
  )
})

test('labels of a file lie below those of the process', () => {
  const texts = { 'a.labels': 'rack.health.path=/a\nteam=one\nwho="${WHO:-me}"\n', 'b.labels': 'team=two\n' }
  for (const own of [
    'labels: { rack.draining.timeout: 5, who: own }',
    'labels: [rack.draining.timeout=5, who=own]',
  ]) {
    const { processes, problems } = read(
      `label_file: [./a.labels, b.labels]\n    ports: ["80:80"]\n    ${own}`,
      {
        texts,
      },
    )
    assert.deepEqual(problems, [], own)
    const [web] = processes
    assert.deepEqual(web?.labels, { team: 'two', who: 'own' })
    assert.deepEqual([web?.health.path, web?.drainTimeoutMs], ['/a', 5000])
  }
  assert.deepEqual(read('label_file: b.labels', { texts }).processes[0]?.labels, { team: 'two' })
  const table: [keys: string, text: string, problem: RegExp][] = [
    ['label_file: gone', '', /4:17: error: services.web.label_file: the file "gone" does not exist/],
    ['label_file: ../x', '', /outside of the source directory/],
    ['label_file: l', 'rack.helth.path=/x', /unknown label "rack.helth.path"; did you mean/],
    ['label_file: l', 'a=1\n=', /^l:2:1: error/m],
    [
      'label_file: l\n    labels: { a: b }',
      'rack.draining.timeout=${S:-hunter2}',
      /timeout must be a number/,
    ],
    ['label_file: l', 'rack.draining.timeout=${S:-hunter2}', /timeout must be a number/],
  ]
  for (const [keys, text, pattern] of table) {
    const problems = read(keys, { texts: { l: text } }).problems.join('\n')
    assert.match(problems, pattern, keys)
    assert.ok(!problems.includes('hunter2'), problems)
  }
})

test('the files that must be read beside the compose file', () => {
  const text = `services:
  web: { image: x, secrets: [token, { source: key }], configs: [app], label_file: [./l, sub/m] }
  other: { image: x, configs: [{ source: app }] }
secrets: { token: { file: ./t }, key: { environment: K }, unused: { file: u } }
configs: { app: { file: etc/app.conf } }
`
  const problems = new Problems()
  const root = parseYaml({ path: 'deploy/c.yml', text, soFar: { length: 0, parts: 0 } }, problems)
  assert.ok(root)
  const paths = contentFilesOf(root, problems).map(({ path }) => path)
  assert.deepEqual(paths.sort(), ['deploy/etc/app.conf', 'deploy/t'])
  const web = childOf(childOf(root, 'services'), 'web')
  assert.ok(web)
  assert.deepEqual(
    labelFilesOf(web, problems).map(({ path }) => path),
    ['deploy/l', 'deploy/sub/m'],
  )
  assert.deepEqual(problems.sorted([]), [])
})

test('a file that its place cannot hold is refused when the file is read', () => {
  const { problems } = readCompose(
    `services:
  web: { image: x, read_only: true, configs: [a, { source: a, target: /run/b/a }] }
  worker: { image: x, tmpfs: /run, secrets: [{ source: s, target: /run/s }, s] }
configs: { a: { content: x } }
secrets: { s: { environment: S } }
`,
    { S: 'x' },
  )
  assert.deepEqual(problems, [
    '2:47: error: services.web.configs[0]: the config "a" cannot be put at its path: the root directory is read-only; give it a target in a directory of its own, such as /run/configs/a',
    '3:46: error: services.worker.secrets[0]: the secret "s" cannot be put at its path: a directory in memory is mounted there, empty at each start; give it a target in a directory of its own, such as /run/secrets/s',
  ])
})
