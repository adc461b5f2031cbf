import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtempDisposable, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const program = 'console.log(import.meta.filename.split("/").at(-1), ...process.argv.slice(2))\n'

/** A clone whose programs say their name and arguments; its path has a space. */
async function makeClone() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'launcher test-'))
  await cp(join(root, 'bin'), join(directory.path, 'bin'), { recursive: true, verbatimSymlinks: true })
  await mkdir(join(directory.path, 'node_modules/.bin'), { recursive: true })
  await symlink(process.execPath, join(directory.path, 'node_modules/.bin/node'))
  await mkdir(join(directory.path, 'dist'))
  for (const name of ['cli', 'daemon']) await writeFile(join(directory.path, 'dist', `${name}.js`), program)
  return directory
}

test('rack starts the CLI and rackd the daemon, with their arguments as given', async () => {
  await using clone = await makeClone()
  const { stdout } = await run(join(clone.path, 'bin/rack'), ['run', 'web', '--', 'a b', '*', ''])
  assert.equal(stdout, 'cli.js run web -- a b * \n')
  assert.equal((await run(join(clone.path, 'bin/rackd'))).stdout, 'daemon.js\n')
})

test('the clone is found through symlinks, relative ones too, and by a bare name', async () => {
  await using clone = await makeClone()
  await mkdir(join(clone.path, 'elsewhere'))
  await symlink('../bin/rack', join(clone.path, 'elsewhere/one'))
  await symlink(join(clone.path, 'elsewhere/one'), join(clone.path, 'elsewhere/rack'))
  const path = `${join(clone.path, 'elsewhere')}:${process.env['PATH'] ?? ''}`
  const found = await run('rack', ['version'], { env: { ...process.env, PATH: path } })
  assert.equal(found.stdout, 'cli.js version\n')
  assert.equal((await run('sh', ['rack', 'ps'], { cwd: join(clone.path, 'bin') })).stdout, 'cli.js ps\n')
})

test('without a build it says what to type', async () => {
  await using clone = await makeClone()
  await rm(join(clone.path, 'dist'), { recursive: true })
  await assert.rejects(run(join(clone.path, 'bin/rack')), {
    code: 1,
    stderr: /not built yet; in \/.* npm run build/,
  })
})

test('a Node that is too old is named, wherever it comes from', async () => {
  await using clone = await makeClone()
  const old = join(clone.path, 'old.mjs')
  await writeFile(old, "Object.defineProperty(process.versions, 'node', { value: '20.20.2' })\n")
  const start = [`--import=${old}`, join(clone.path, 'bin/start.mjs'), 'cli']
  await assert.rejects(run(process.execPath, start), {
    code: 1,
    stderr: /needs Node 24 or newer, and found v/,
  })
})

test('the node of PATH serves when the clone has none', async () => {
  await using clone = await makeClone()
  await rm(join(clone.path, 'node_modules'), { recursive: true })
  await mkdir(join(clone.path, 'tools'))
  await writeFile(join(clone.path, 'tools/node'), '#!/bin/sh\necho "from PATH: $*"\n')
  await chmod(join(clone.path, 'tools/node'), 0o755)
  const env = { ...process.env, PATH: `${join(clone.path, 'tools')}:${process.env['PATH'] ?? ''}` }
  const { stdout } = await run(join(clone.path, 'bin/rack'), ['ps'], { env })
  assert.match(stdout, /^from PATH: (--\S+ )*\S.*\/start\.mjs cli ps\n$/)
})

test('the command line compiles nothing beside its main thread, which could keep it from ending', async () => {
  await using clone = await makeClone()
  await writeFile(join(clone.path, 'dist/cli.js'), 'console.log(process.execArgv.join(" "))\n')
  const { stdout } = await run(join(clone.path, 'bin/rack'), ['ps'])
  assert.equal(stdout, '--no-concurrent-recompilation --no-concurrent-sparkplug\n')
})
