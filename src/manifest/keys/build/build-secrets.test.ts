import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../../test/support/compose.ts'
import { filesOf } from '../../files.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const contents = { 'token.txt': base64('t0ken'), 'keys/git': base64('a key') }
const secrets = 'secrets: { token: { file: ./token.txt }, api: { environment: API_KEY } }\n'
const environment = { API_KEY: 'äpi', SSH_KEY: 'one', SSH_KEY_GIT_HUB: 'two' }

function read(keys: string, more: Parameters<typeof readCompose>[2] = {}, given: object = environment) {
  const text = `services:\n  web:\n    build: { ${keys} }\n${secrets}`
  return readCompose(text, given as Record<string, string>, { contents, ...more })
}

test('secrets of a build are those of the file, in both syntaxes, by the id of their mount', () => {
  const token = { name: 'token', content: base64('t0ken'), origin: { file: 'token.txt' } }
  const api = { name: 'api', content: base64('äpi'), origin: { environment: 'API_KEY' } }
  const table: [keys: string, found: object[]][] = [
    [
      'secrets: [token, api]',
      [
        { id: 'token', ...token },
        { id: 'api', ...api },
      ],
    ],
    ['secrets: [{ source: api, target: key, uid: "5", mode: 0400 }]', [{ id: 'key', ...api }]],
    ['secrets: [{ source: api, target: token }, token]', [{ id: 'token', ...token }]],
    ['secrets: []', []],
  ]
  for (const [keys, found] of table) {
    const { processes, problems } = read(keys)
    assert.deepEqual(problems, [], keys)
    assert.deepEqual(processes[0]?.build?.secrets, found)
    assert.deepEqual(processes[0]?.files, [], 'no process gets it for that')
  }
})

test('what a build needs of the environment is a warning before it, with what to type, and an error at the build', () => {
  for (const [keys, variable] of [
    ['ssh: [default]', 'SSH_KEY'],
    ['secrets: [api]', 'API_KEY'],
  ] as const) {
    const said = (more: object) => read(keys, { lenientVariables: true, ...more }, {}).problems.join('\n')
    const told = `: the build needs .*the variable ${variable} of the app has no value; rack env set ${variable}=…`
    assert.match(said({ isBeforeBuild: true }), new RegExp(`warning${/: [^:]*/.source}${told}`))
    assert.match(said({}), new RegExp(`error${/: [^:]*/.source}${told}`))
  }
})

test('keys of a build are variables of the app, or files of the source', () => {
  const key = (id: string, content: string, origin: object) => ({
    id,
    name: id,
    content: base64(content),
    origin,
  })
  const table: [keys: string, found: object[]][] = [
    ['ssh: [default]', [key('default', 'one', { environment: 'SSH_KEY' })]],
    ['ssh: [git-hub]', [key('git-hub', 'two', { environment: 'SSH_KEY_GIT_HUB' })]],
    [
      'ssh: { default: , git: ./keys/git }',
      [key('default', 'one', { environment: 'SSH_KEY' }), key('git', 'a key', { file: 'keys/git' })],
    ],
    ['ssh: ["git=keys/git"]', [key('git', 'a key', { file: 'keys/git' })]],
  ]
  for (const [keys, found] of table) {
    const { processes, problems } = read(keys)
    assert.deepEqual(problems, [], keys)
    assert.deepEqual(processes[0]?.build?.keys, found)
  }
})

test('what is not there is told before a build begins, and stops no promote of what is built', () => {
  const table: [keys: string, problem: RegExp][] = [
    ['secrets: [tokn]', /3:24: error: .*the secret "tokn" is not declared; did you mean "token"/],
    ['secrets: [{ target: x }]', /a secret needs its name/],
    [
      'ssh: ["git=~/.ssh/id"]',
      /the key "git" is no file of the source directory; write `ssh: \[git\]`, and .*rack env set SSH_KEY_GIT=/,
    ],
    ['ssh: ["git=keys/none"]', /the key "git" is no file of the source directory/],
  ]
  for (const [keys, pattern] of table) assert.match(read(keys).problems.join('\n'), pattern, keys)
  for (const [keys, pattern] of [
    [
      'secrets: [api]',
      /error: .*the build needs the secret "api": the variable API_KEY of the app has no value; rack env set API_KEY=…/,
    ],
    [
      'ssh: [default]',
      /error: .*the build needs the ssh key "default": the variable SSH_KEY of the app has no value/,
    ],
  ] as const) {
    assert.match(read(keys, { lenientVariables: true }, {}).problems.join('\n'), pattern)
    assert.deepEqual(read(keys, {}, {}).problems, [])
  }
})

test('files of secrets and keys are sent with the manifest, and kept out of the source', () => {
  const text = `services: { web: { build: { secrets: [token], ssh: ["git=keys/git"] } } }\n${secrets}`
  const files = filesOf({ files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }, {})
  assert.deepEqual(files.contents, ['token.txt', 'keys/git'])
  assert.deepEqual(files.secrets, ['token.txt', 'keys/git'])
})
