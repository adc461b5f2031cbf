import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, link, mkdtempDisposable, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'

const before = `services:
  web:
    image: nginx # stable
    # where it listens
    ports: ["8080:80"]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
`
const after = `services:
  web:
    image: nginx # stable
    # where it listens
    ports: ["8080:80"]
    labels:
      rack.port.8080.protocol: http
`

/** A directory with these files, and commands that are typed in it. */
async function makeDirectory(files: Record<string, string>) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-fix-'))
  const { path } = directory
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return {
    path,
    type: (...args: string[]) => typeCommand(['manifest', 'fix', ...args], { cwd: path }),
    read: (name: string) => readFile(join(path, name), 'utf8'),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}

test('the change is printed as a diff that patch takes, with why, and the file stays', async () => {
  await using directory = await makeDirectory({ 'docker-compose.yml': before })
  const { code, stdout, stderr } = await directory.type()
  assert.equal(code, 0)
  assert.equal(await directory.read('docker-compose.yml'), before)
  assert.match(
    stderr,
    /volumes\[0\]: removed \("\/var\/run\/docker\.sock" is refused: a process gets no access/,
  )
  assert.match(stderr, /gets the label rack\.port\.8080\.protocol=http \(port 8080 of the rack is tcp/)
  assert.match(
    stderr,
    /docker-compose\.yml: 2 changes; what is left: no problems\n.*rack manifest fix --write/,
  )
  execFileSync('git', ['apply', '-p0', '--unsafe-paths', '-'], { cwd: directory.path, input: stdout })
  assert.equal(await directory.read('docker-compose.yml'), after)
})

test('--write makes the change, keeps the mode, and has nothing to do a second time', async () => {
  await using directory = await makeDirectory({ 'compose.yaml': before })
  await chmod(join(directory.path, 'compose.yaml'), 0o640)
  const { code, stderr } = await directory.type('--write')
  assert.equal(code, 0)
  assert.match(
    stderr,
    /compose\.yaml: 2 changes, written; what is left: no problems\nA rack takes it: rack deploy\n$/,
  )
  assert.equal(await directory.read('compose.yaml'), after)
  assert.equal((await stat(join(directory.path, 'compose.yaml'))).mode & 0o777, 0o640)
  const again = await directory.type('--write')
  assert.deepEqual({ code: again.code, stdout: again.stdout }, { code: 0, stdout: '' })
  assert.match(again.stderr, /^nothing to change; what is left: no problems\n/)
})

test('what cannot be mended is listed with its line and what to do, and the exit code is 1', async () => {
  const text = before.replace('image: nginx', 'image: nginx\n    network_mode: host')
  await using directory = await makeDirectory({ 'docker-compose.yml': text })
  const { code, stdout, stderr } = await directory.type('--write')
  assert.equal(code, 1)
  assert.match(stdout, /^-      - \/var\/run\/docker\.sock/m)
  assert.match(
    stderr,
    /docker-compose\.yml:4:5: error: [^\n]*"network_mode" is refused[^\n]*; remove the key\n/,
  )
  assert.match(stderr, /2 changes, written; what is left: 1 error\n$/)
})

test('several files are mended each by itself, and an answer in JSON has all of it', async () => {
  await using directory = await makeDirectory({
    'a.yml': before,
    'b.yml': 'include: [c.yml]\nservices:\n  web:\n    restart: allways\n',
    'c.yml': 'services:\n  db: {image: postgres, restart: unless_stopped}\n',
  })
  const { code, stdout } = await directory.type('a.yml', 'b.yml', '--json')
  assert.equal(code, 0)
  const answer = JSON.parse(stdout) as {
    files: { path: string; diff: string }[]
    isWritten: boolean
    isAccepted: boolean
    changes: unknown[]
  }
  assert.deepEqual(
    answer.files.map(({ path }) => path),
    ['a.yml', 'b.yml', 'c.yml'],
  )
  assert.match(answer.files[2]?.diff ?? '', /^\+ {2}db: \{image: postgres, restart: unless-stopped\}$/m)
  assert.deepEqual([answer.isWritten, answer.isAccepted, answer.changes.length], [false, true, 4])
})

test('a file that has another name, or is a link, is not replaced, nor is any other', async () => {
  await using directory = await makeDirectory({
    'a.yml': before,
    'real.yml': 'services: {web: {restart: allways}}\n',
  })
  await symlink('real.yml', join(directory.path, 'b.yml'))
  const linked = await directory.type('a.yml', 'b.yml', '--write')
  assert.equal(linked.code, 1)
  assert.match(linked.stderr, /b\.yml is not written: it is a link[\s\S]*rack manifest fix \| patch -p0/)
  await link(join(directory.path, 'real.yml'), join(directory.path, 'twin.yml'))
  const twin = await directory.type('a.yml', 'twin.yml', '--write')
  assert.equal(twin.code, 1)
  assert.match(twin.stderr, /twin\.yml is not written: it has another name/)
  assert.equal(await directory.read('a.yml'), before)
})
