import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtempDisposable, readdir, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { bundle, removeOld } from './bundle.ts'
import { deferSecure, takeBuiltins } from './lean-builtins.ts'
import { hashSources } from './sources.ts'
import { readStamp, writeStamp } from './stamp.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')

/** A clone with these programs; what builds in an account is empty unless it is given. */
async function makeClone(files: Record<string, string>) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'bundle-'))
  await symlink(join(root, 'node_modules'), join(directory.path, 'node_modules'))
  await mkdir(join(directory.path, 'src/main'), { recursive: true })
  await mkdir(join(directory.path, 'scripts/bundle'), { recursive: true })
  for (const file of ['package.json', 'package-lock.json', 'tsconfig.json']) {
    await writeFile(join(directory.path, file), '{ "type": "module" }\n')
  }
  for (const [name, text] of Object.entries({ 'build-in-account.ts': '', ...files })) {
    await writeFile(join(directory.path, 'src/main', name), text)
  }
  return directory
}

const lazy = "import { parse } from 'yaml'\nexport const answer = parse('answer: 42').answer\n"
const cli = "console.log((await import('./lazy.ts')).answer)\n"

test('a program and its lazy part run from the bundle, with a CommonJS package inside', async () => {
  await using clone = await makeClone({ 'cli.ts': cli, 'lazy.ts': lazy, 'daemon.ts': "import './lazy.ts'\n" })
  const dist = join(clone.path, 'dist')
  const files = await bundle(clone.path, dist)
  assert.ok(
    files.some((name) => /^chunk-lazy-\w+\.js$/.test(name)),
    'the lazy part has a chunk of its own',
  )
  const made = await readdir(dist, { recursive: true })
  assert.deepEqual(made.toSorted(), files.toSorted())
  const { stdout } = await run(process.execPath, [join(dist, 'cli.js')])
  assert.equal(stdout, '42\n')
})

test('a missing entry is named', async () => {
  await using clone = await makeClone({ 'cli.ts': cli, 'lazy.ts': lazy })
  await assert.rejects(bundle(clone.path, join(clone.path, 'dist')), /src\/main\/daemon\.ts is missing/)
})

test('a CommonJS package imported lazily is refused: it would lose its exports', async () => {
  const wrong = "console.log((await import('yaml')).parse)\n"
  await using clone = await makeClone({ 'cli.ts': wrong, 'daemon.ts': '' })
  const program = `import { bundle } from ${JSON.stringify(join(import.meta.dirname, 'bundle.ts'))}
    await bundle(${JSON.stringify(clone.path)}, ${JSON.stringify(join(clone.path, 'dist'))}).then(() => process.exit(3), () => {})`
  // In a process of its own: esbuild prints its errors to stderr.
  const { stderr } = await run(process.execPath, ['--input-type=module', '-e', program])
  assert.match(stderr, /yaml is CommonJS.*cli\.ts:1/s)
})

test('its default alone may be imported lazily', async () => {
  const program = "const { default: yaml } = await import('yaml')\nconsole.log(yaml.parse('[1, 2]').length)\n"
  await using clone = await makeClone({ 'cli.ts': program, 'daemon.ts': '' })
  await bundle(clone.path, join(clone.path, 'dist'))
  assert.equal((await run(process.execPath, [join(clone.path, 'dist/cli.js')])).stdout, '2\n')
})

test('the hash changes with a source, and not with a test', async () => {
  await using clone = await makeClone({ 'cli.ts': cli })
  const first = hashSources(clone.path)
  await writeFile(join(clone.path, 'src/main/cli.test.ts'), 'test')
  assert.equal(hashSources(clone.path), first)
  await writeFile(join(clone.path, 'src/main/cli.ts'), `${cli} `)
  assert.notEqual(hashSources(clone.path), first)
})

test('old chunks go, those still in use and the programs stay', async () => {
  await using clone = await makeClone({})
  for (const name of ['cli.js', 'chunk-a-1.js', 'chunk-b-2.js']) await writeFile(join(clone.path, name), '')
  await removeOld(clone.path, ['chunk-b-2.js'], await readdir(clone.path))
  const left = (await readdir(clone.path)).filter((name) => name.endsWith('.js'))
  assert.deepEqual(left, ['chunk-b-2.js', 'cli.js'])
})

test('a stamp is read back; none or a broken one counts as stale', async () => {
  await using clone = await makeClone({})
  assert.deepEqual(readStamp(clone.path), { sources: '', files: [] })
  await writeStamp(clone.path, { sources: 'abc', files: ['cli.js'] })
  assert.deepEqual(readStamp(clone.path), { sources: 'abc', files: ['cli.js'] })
  await writeFile(join(clone.path, 'stamp.json'), '{"sou')
  assert.deepEqual(readStamp(clone.path), { sources: '', files: [] })
})

test('imports of Node modules become lookups, and nothing else changes', () => {
  const source = [
    "import { EventEmitter } from 'node:events';",
    "import fs from 'node:fs';",
    "import process from 'node:process';",
    "import { Help } from './help.js';",
  ]
  assert.deepEqual(takeBuiltins(source.join('\n')).split('\n'), [
    "const { EventEmitter } = globalThis.process.getBuiltinModule('node:events');",
    "const fs = globalThis.process.getBuiltinModule('node:fs');",
    '',
    "import { Help } from './help.js';",
  ])
})

test('TLS and HTTP/2 are loaded by their first use', async () => {
  const source =
    "const https = require('node:https')\nconst tls = require('tls');\nconst http = require('http')\n"
  const lean = deferSecure(source)
  assert.deepEqual(lean.match(/require\('.*'\)/g), ["require('http')"])
  const program = `${lean}console.log(typeof https.request, typeof tls.connect)`
  const { stdout } = await run(process.execPath, ['-e', program])
  assert.equal(stdout, 'function function\n')
})

test('a package that may start a program loads what that takes when it does', async () => {
  const lean = takeBuiltins("import programs from 'node:child_process'")
  assert.ok(!/^import/m.test(lean))
  const { stdout } = await run(process.execPath, ['-e', `${lean}\nconsole.log(typeof programs.spawn)`])
  assert.equal(stdout, 'function\n')
})
