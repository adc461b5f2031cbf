import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'

const procfile = 'web: node server.js\nmail_worker: node mail.js\nrelease: node migrate.js\n'

/** A directory with these files, and commands that are typed in it. */
async function makeDirectory(files: Record<string, string>) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-init-'))
  const { path } = directory
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return {
    type: (...args: string[]) => typeCommand(['manifest', ...args], { cwd: path }),
    read: (name: string) => readFile(join(path, name), 'utf8'),
    names: () => readdir(path),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

test('a Procfile becomes a compose file that a rack has nothing against', async () => {
  await using directory = await makeDirectory({
    Procfile: procfile,
    Dockerfile: 'FROM node\n',
    '.env': 'PORT=4000\n',
  })
  const { code, stdout, stderr } = await directory.type('init')
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '' })
  assert.match(stderr, /^docker-compose\.yml is written, from the Procfile: web, mail-worker\n/)
  assert.match(stderr, /rack manifest check, rack deploy\n$/)
  assert.match(await directory.read('docker-compose.yml'), /"80:4000"/)
  const check = await directory.type('check')
  assert.equal(check.code, 0)
  assert.match(check.stdout, /no problems/)
})

test('a Dockerfile alone gives one process, on the port of EXPOSE', async () => {
  await using directory = await makeDirectory({ Dockerfile: 'FROM node\nEXPOSE 8080\n' })
  const { code, stdout } = await directory.type('init', '--json')
  assert.equal(code, 0)
  const answer = JSON.parse(stdout) as Record<string, string>
  assert.deepEqual(
    { ...answer, text: '' },
    { path: 'docker-compose.yml', from: 'Dockerfile', processes: ['web'], text: '' },
  )
  assert.equal(answer['text'], await directory.read('docker-compose.yml'))
  assert.match(answer['text'] ?? '', /"80:8080"/)
})

test('what is there stays, unless it is to be replaced', async () => {
  await using directory = await makeDirectory({ Procfile: procfile, 'compose.yaml': 'mine' })
  const refused = await directory.type('init')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /compose\.yaml is there already[\s\S]*--force/)
  const printed = await directory.type('init', '--stdout')
  assert.equal(printed.code, 0)
  assert.match(printed.stdout, /^# The processes of this app[\s\S]*services:\n {2}web:\n/)
  assert.equal(await directory.read('compose.yaml'), 'mine')
  assert.equal((await directory.type('init', '--force')).code, 0)
  assert.equal(await directory.read('compose.yaml'), printed.stdout)
  assert.deepEqual((await directory.names()).sort(), ['Procfile', 'compose.yaml'])
})

test('a directory with nothing to start from says what to write', async () => {
  await using directory = await makeDirectory({})
  const { code, stderr } = await directory.type('init')
  assert.equal(code, 1)
  assert.match(stderr, /neither a Procfile nor a Dockerfile[\s\S]*web: node server\.js/)
  assert.deepEqual(await directory.names(), [])
  assert.equal((await directory.type('init', 'nowhere')).code, 2)
})

test('every mistake of a Procfile is told with its line', async () => {
  await using directory = await makeDirectory({ Procfile: 'web node\nrelease: x\n9: y\n' })
  const { code, stderr } = await directory.type('init')
  assert.equal(code, 1)
  assert.match(stderr, /Procfile:1: not a line[\s\S]*Procfile:3: "9" cannot be/)
  await using empty = await makeDirectory({ Procfile: '# nothing\n' })
  assert.match((await empty.type('init')).stderr, /names no process/)
})
