import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { unreadable, walkSource, type BuildContext } from './walk-source.ts'

const whole: BuildContext = { context: '.', dockerfile: 'Dockerfile' }

async function makeSource(files: Record<string, string>) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'walk-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, path)), { recursive: true })
    await writeFile(join(folder.path, path), text)
  }
  return folder
}

async function walked(
  files: Record<string, string>,
  contexts: BuildContext[] = [whole],
  secrets: string[] = [],
): Promise<string[]> {
  await using folder = await makeSource(files)
  return [...walkSource({ directory: folder.path, contexts, secrets, binds: [] }, () => undefined)].map(
    ({ path }) => path,
  )
}

test('all of a context, by name, folders before what is in them', async () => {
  const found = await walked({ Dockerfile: '', 'src/b.js': '', 'src/a.js': '', '.hidden': '' })
  assert.deepEqual(found, ['.hidden', 'Dockerfile', 'src', 'src/a.js', 'src/b.js'])
})

test('what .dockerignore leaves out is left out, but for what a build needs', async () => {
  const files = {
    '.dockerignore': 'node_modules\n*.md\n!README.md\nDockerfile\n.dockerignore\nlogs/*\n!logs/keep',
    Dockerfile: '',
    'README.md': '',
    'TODO.md': '',
    'node_modules/x/index.js': '',
    'logs/a': '',
    'logs/keep': '',
  }
  const found = await walked(files)
  assert.deepEqual(found, ['.dockerignore', 'Dockerfile', 'README.md', 'logs', 'logs/keep'])
})

test('the rules of a Dockerfile of its own come first', async () => {
  const files = {
    'web.Dockerfile': '',
    'web.Dockerfile.dockerignore': 'a',
    '.dockerignore': 'b',
    a: '',
    b: '',
  }
  const found = await walked(files, [{ context: '.', dockerfile: 'web.Dockerfile' }])
  assert.deepEqual(found, ['.dockerignore', 'b', 'web.Dockerfile', 'web.Dockerfile.dockerignore'])
})

test('what becomes a secret is never sent, not even when it is asked for', async () => {
  const files = { '.dockerignore': '!keys/db', Dockerfile: '', 'keys/db': '', 'keys/other': '' }
  assert.deepEqual(await walked(files, [whole], ['keys/db']), [
    '.dockerignore',
    'Dockerfile',
    'keys',
    'keys/other',
  ])
})

test('.env of the directory is never sent unless it is asked for', async () => {
  assert.deepEqual(await walked({ '.env': 'SECRET=1', Dockerfile: '', 'web/.env': '' }), [
    'Dockerfile',
    'web',
    'web/.env',
  ])
  assert.deepEqual(await walked({ '.env': '', '.dockerignore': '*\n!.env\n' }), ['.dockerignore', '.env'])
  assert.deepEqual(await walked({ '.env': '', '.dockerignore': '# !.env\n' }), ['.dockerignore'])
})

test('several contexts are sent once, each by its own rules', async () => {
  const files = {
    'web/Dockerfile': '',
    'web/.dockerignore': 'tmp',
    'web/tmp/x': '',
    'worker/Dockerfile': '',
    'worker/tmp/y': '',
    'other/z': '',
  }
  const contexts = ['web', './worker/'.slice(2), 'web'].map((context) => ({
    context,
    dockerfile: 'Dockerfile',
  }))
  assert.deepEqual(await walked(files, contexts), [
    'web/.dockerignore',
    'web/Dockerfile',
    'worker/Dockerfile',
    'worker/tmp',
    'worker/tmp/y',
  ])
})

test('what one context leaves out another may need', async () => {
  const files = { Dockerfile: '', '.dockerignore': 'db', 'db/Dockerfile': '', 'db/seed.sql': '' }
  const contexts = [whole, { context: 'db', dockerfile: 'Dockerfile' }]
  assert.deepEqual(await walked(files, contexts), [
    '.dockerignore',
    'Dockerfile',
    'db/Dockerfile',
    'db/seed.sql',
  ])
})

test('without a build nothing is sent', async () => {
  assert.deepEqual(await walked({ 'docker-compose.yml': '', data: '' }, []), [])
})

test('links are links, also to folders and to nothing; sockets are left out and named', async () => {
  await using folder = await makeSource({ 'src/a': '' })
  await symlink('src', join(folder.path, 'alias'))
  await symlink('/nowhere', join(folder.path, 'broken'))
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(folder.path, 'app.sock'), resolve))
  const skipped: string[] = []
  const found = [
    ...walkSource({ directory: folder.path, contexts: [whole], secrets: [], binds: [] }, (path) =>
      skipped.push(path),
    ),
  ]
  await new Promise((resolve) => server.close(resolve))
  assert.deepEqual(
    found.map(({ path, type }) => `${path} ${type}`),
    ['alias symlink', 'broken symlink', 'src directory', 'src/a file'],
  )
  assert.deepEqual(skipped, ['app.sock'])
})

test('what cannot be read is named, with what to do', () => {
  const denied = Object.assign(new Error('EACCES: scandir'), { code: 'EACCES' })
  const { message, hint } = unreadable('private', denied)
  assert.equal(message, 'private cannot be sent: permission denied')
  assert.match(hint!, /\.dockerignore/)
})
