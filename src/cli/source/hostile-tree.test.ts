import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtempDisposable, rename, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'
import { largestManifestBytes } from '../../domain/manifest.ts'
import { openNamedFiles } from './named-files.ts'
import { readLocalManifest } from './read-manifest-source.ts'
import { uploadOf } from './upload.ts'

const key = 'a private key of the operator'

/** A source directory that somebody else has written, and beside it a file of the operator. */
async function makeTree(files: Record<string, string>) {
  const top = await mkdtempDisposable(join(tmpdir(), 'hostile-tree-'))
  const path = join(top.path, 'source')
  await mkdir(path)
  await mkdir(join(top.path, 'home'))
  await writeFile(join(top.path, 'home/key'), key)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    await writeFile(join(path, name), text)
  }
  return Object.assign(top, { path, home: join(top.path, 'home') })
}

const web = 'services:\n  web:\n    build: .\n'

/** Each way in which a file is opened that the tree names: its name, and what names it. */
const ways: [path: string, files: Record<string, string>, command?: string[]][] = [
  ['compose.yml', {}],
  ['.env', { 'compose.yml': web }],
  ['named', { 'compose.yml': `${web}    env_file: named\n` }],
  ['named', { 'compose.yml': `${web}    env_file: [{ path: named, required: false }]\n` }],
  ['named', { 'compose.yml': `${web}    label_file: named\n` }],
  ['named', { 'compose.yml': `${web}    secrets: [s]\nsecrets: { s: { file: named } }\n` }],
  ['named', { 'compose.yml': `${web}    configs: [s]\nconfigs: { s: { file: named } }\n` }],
  ['named', { 'compose.yml': `include: [named]\n${web}` }],
  ['named', { 'compose.yml': `include: [{ path: more.yml, env_file: named }]\n${web}`, 'more.yml': web }],
  ['named', { 'compose.yml': `${web}    extends: { file: named, service: web }\n` }],
  ['Procfile', {}, ['init', '--stdout']],
  ['Dockerfile', {}, ['init', '--stdout']],
  ['.env', { Procfile: 'web: run\n' }, ['init', '--stdout']],
]

/** What becomes of each way when its file is made by `plant`. */
async function check(plant: (place: string, home: string) => Promise<void>, refusal: RegExp): Promise<void> {
  for (const [path, files, command = ['check', '--resolved']] of ways) {
    await using tree = await makeTree(files)
    await plant(join(tree.path, path), tree.home)
    const { code, stdout, stderr } = await typeCommand(['manifest', ...command], { cwd: tree.path })
    assert.equal(code, 1, `${path}: ${stdout}${stderr}`)
    assert.match(stderr, refusal, path)
    assert.doesNotMatch(stdout + stderr, /private/)
  }
}

test('a link that leads out of the tree is refused wherever a file is named', async () => {
  await check(
    (place, home) => symlink(join(home, 'key'), place),
    /^error: \S+ cannot be read: it is a link that leads out of the directory\n→ .*put a copy of it there/,
  )
})

test('a pipe is refused wherever a file is named, and not waited for', { timeout: 60_000 }, async () => {
  await check(async (place) => {
    execFileSync('mkfifo', [place])
  }, /^error: \S+ cannot be read: it is no file\n/)
})

test(
  'rules of ignoring that lie elsewhere, or come from a pipe, end an upload',
  { timeout: 60_000 },
  async () => {
    for (const plant of [
      (place: string, home: string) => symlink(join(home, 'key'), place),
      async (place: string) => void execFileSync('mkfifo', [place]),
    ]) {
      await using tree = await makeTree({ 'compose.yml': web, Dockerfile: 'FROM scratch\n' })
      await plant(join(tree.path, '.dockerignore'), tree.home)
      const manifest = await readLocalManifest(tree.path, [])
      await assert.rejects(Array.fromAsync(uploadOf(manifest, () => undefined)), {
        code: 'invalid',
        message: /^\.dockerignore cannot be read: it is /,
      })
    }
  },
)

test('a folder that becomes a link while it is sent gives nothing of what lies there', async () => {
  const files = { 'compose.yml': web, Dockerfile: 'FROM scratch\n', 'a-large': 'x'.repeat(2_000_000) }
  await using tree = await makeTree({ ...files, 'keys/key': 'public' })
  const manifest = await readLocalManifest(tree.path, [])
  const upload = uploadOf(manifest, () => undefined)
  let sent = ''
  let pieces = 0
  const send = async () => {
    for await (const piece of upload) {
      // The manifest has gone, and the names at the top have been read.
      if (++pieces === 2) {
        await rename(join(tree.path, 'keys'), join(tree.path, 'moved'))
        await symlink(tree.home, join(tree.path, 'keys'))
      }
      sent += Buffer.from(piece).toString('latin1')
    }
  }
  await assert.rejects(send(), { code: 'invalid', message: /^keys\/key cannot be sent: it is a link now/ })
  assert.doesNotMatch(sent, /private/)
})

test('a socket as a file of variables is refused', async () => {
  await using tree = await makeTree({ 'compose.yml': `${web}    env_file: it.sock\n` })
  const listener = createServer()
  await new Promise<void>((resolve) => listener.listen(join(tree.path, 'it.sock'), resolve))
  try {
    await assert.rejects(readLocalManifest(tree.path, []), {
      message: 'it.sock cannot be read: it is no file',
    })
  } finally {
    listener.close()
  }
})

test('what is named is bounded together', async () => {
  await using tree = await makeTree({ large: 'x'.repeat(2 ** 20) })
  const named = openNamedFiles(tree.path)
  const most = largestManifestBytes / 2 ** 20
  for (let count = 0; count < most; count++) named.read('large', 2 ** 20)
  assert.throws(() => named.read('large', 2 ** 20), { code: 'too-large', message: /16 MiB together/ })
})

test('.rack/app that leads elsewhere, or is a pipe, names no app', { timeout: 60_000 }, async () => {
  for (const plant of [
    (place: string, home: string) => symlink(join(home, 'key'), place),
    async (place: string) => void execFileSync('mkfifo', [place]),
  ]) {
    await using tree = await makeTree({ 'compose.yml': 'services: { web: { image: x, ports: [80:80] } }\n' })
    await mkdir(join(tree.path, '.rack'))
    await plant(join(tree.path, '.rack/app'), tree.home)
    const { code, stdout } = await typeCommand(['manifest', 'check'], { cwd: tree.path })
    assert.equal(code, 0)
    assert.match(stdout, /\nweb +APP\.localhost/)
    assert.doesNotMatch(stdout, /private/)
  }
})
