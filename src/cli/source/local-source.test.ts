import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createReadStream } from 'node:fs'
import { test } from 'node:test'
import { startMemoryRack } from '../../../test/support/memory-rack.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const compose = 'services:\n  web:\n    build: .\n    ports: ["80:3000"]\n'

async function makeFolder(files: Record<string, string>) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'local-source-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true })
    await writeFile(join(folder.path, path), text)
  }
  return folder
}

/** Types a build against a rack that has nothing; gives what was built of which app. */
async function build(args: string[], more: { input?: Uint8Array[] | AsyncIterable<Uint8Array> } = {}) {
  await using rack = await startMemoryRack()
  const typed = await typeCommand(['build', ...args], {
    door: rack.room.operations,
    cwd: '/nowhere/guestbook',
    ...(more.input && { input: more.input as Uint8Array[] }),
  })
  const [app] = await rack.operations.listApps()
  const [newest] = app ? await rack.operations.listReleases(app.name, 1) : []
  const manifest = app && newest ? await rack.operations.releaseManifest(app.name, newest.id) : null
  return { ...typed, app: app?.name ?? null, manifest }
}

test('a repository is built at a branch, a tag or a commit, and from a folder of it', async () => {
  await using folder = await makeFolder({
    'shop/docker-compose.yml': compose,
    'shop/Dockerfile': 'FROM scratch\n',
  })
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', folder.path, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words])
      .toString()
      .trim()
  git('init', '--quiet', '--initial-branch', 'main')
  git('add', '.')
  git('commit', '--quiet', '-m', 'first')
  git('tag', 'v1')
  await writeFile(join(folder.path, 'shop/docker-compose.yml'), `# second\n${compose}`)
  git('commit', '--quiet', '-am', 'second')
  for (const [ref, isSecond] of [
    ['main', true],
    ['v1', false],
    [git('rev-parse', 'HEAD'), true],
    ['', true],
  ] as const) {
    const { code, stderr, app, manifest } = await build(['--git', `file://${folder.path}#${ref}:shop`])
    assert.deepEqual([code, app], [0, 'shop'], stderr)
    assert.equal(manifest?.startsWith('# second'), isSecond, ref)
  }
  const missing = await build(['--git', `file://${folder.path}#none`])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /#none cannot be fetched: fatal: .*none\n→ Write it as URL#REF:FOLDER/)
  for (const text of ['--upload-pack=touch /tmp/x', `file://${folder.path}#main:../..`]) {
    assert.match((await build(['--git', text])).stderr, /cannot be fetched/)
  }
})

test('an archive is built, packed or not, from a file or standard input', async () => {
  await using folder = await makeFolder({
    'in/shop/docker-compose.yml': compose,
    'in/shop/Dockerfile': 'FROM scratch\n',
  })
  const at = (name: string) => join(folder.path, name)
  execFileSync('tar', ['-czf', at('store.tgz'), '-C', at('in/shop'), '.'])
  execFileSync('tar', ['-cf', at('plain.tar'), '-C', at('in'), 'shop'])
  for (const [args, app, input] of [
    [['--tgz', at('store.tgz')], 'store'],
    [['--tgz', at('plain.tar')], 'shop'],
    [['--tgz', '-'], 'guestbook', createReadStream(at('store.tgz'))],
  ] as const) {
    const built = await build([...args], input ? { input } : {})
    assert.deepEqual([built.code, built.app, built.manifest], [0, app, compose], built.stderr)
  }
  await writeFile(at('none.tgz'), 'no archive at all')
  for (const name of ['none.tgz', 'absent.tgz']) {
    const { code, stderr } = await build(['--tgz', at(name)])
    assert.equal(code, 1)
    assert.match(stderr, /cannot be unpacked: .*\n→ Make it with: tar -czf/)
  }
})

test('a ready image is an app of one process; a source is given in one way', async () => {
  const { code, app, manifest, stderr } = await build(['--image', 'shop', '--port', '8080'])
  assert.deepEqual([code, app], [0, 'guestbook'], stderr)
  assert.match(manifest ?? '', /image: shop\n +ports:\n +- "?80:8080"?/)
  assert.match((await build(['--image', 'No Name'])).stderr, /"No Name" is not the name of an image/)
  for (const args of [
    ['--image', 'x', '--tgz', '-'],
    ['.', '--image', 'x'],
  ]) {
    assert.equal((await build(args)).code, 2)
  }
})
