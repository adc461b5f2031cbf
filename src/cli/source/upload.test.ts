import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtempDisposable, readFile, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTar } from '../../lib/tar.ts'
import { readLocalManifest } from './read-manifest-source.ts'
import { uploadOf } from './upload.ts'

const compose = 'services:\n  web:\n    build: .\n    env_file: [web.env, missing.env]\n'

async function makeSource() {
  const folder = await mkdtempDisposable(join(tmpdir(), 'upload-'))
  const write = (path: string, content: string | Buffer) => writeFile(join(folder.path, path), content)
  await write('docker-compose.yml', compose)
  await write('.env', 'SECRET=1\n')
  await write('web.env', 'COLOR=red\n')
  await write('Dockerfile', 'FROM scratch\n')
  return Object.assign(folder, { write })
}

async function entriesOf(directory: string, composeFiles: string[] = []) {
  const manifest = await readLocalManifest(directory, composeFiles)
  const found = new Map<string, { text: string; mode: number; type: string; linkname: string }>()
  for await (const { header, content } of readTar(uploadOf(manifest, () => undefined))) {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    const { mode, type, linkname } = header
    found.set(header.name, {
      text: Buffer.concat(chunks).toString('latin1'),
      mode,
      type,
      linkname: linkname ?? '',
    })
  }
  return found
}

test('the texts of the manifest come first, listed in index.json; .env is not among the source', async () => {
  await using source = await makeSource()
  const entries = await entriesOf(source.path)
  assert.deepEqual(
    [...entries.keys()],
    [
      'manifest/index.json',
      'manifest/files/docker-compose.yml',
      'manifest/files/web.env',
      'manifest/dotenv',
      'source/Dockerfile',
      'source/docker-compose.yml',
      'source/web.env',
    ],
  )
  assert.deepEqual(JSON.parse(entries.get('manifest/index.json')!.text), {
    files: ['docker-compose.yml'],
    dotenv: true,
    texts: ['web.env'],
    contents: [],
    places: {},
  })
  assert.equal(entries.get('manifest/files/docker-compose.yml')!.text, compose)
})

test('modes, links, empty files and large ones arrive as they are', async () => {
  await using source = await makeSource()
  const large = randomBytes(3_000_001)
  await source.write('large', large)
  await source.write('empty', '')
  await source.write('run.sh', '#!/bin/sh\n')
  await chmod(join(source.path, 'run.sh'), 0o755)
  await mkdir(join(source.path, 'folder'))
  await symlink('../run.sh', join(source.path, 'folder/link'))
  const entries = await entriesOf(source.path)
  assert.equal(entries.get('source/large')!.text, large.toString('latin1'))
  assert.equal(entries.get('source/empty')!.text, '')
  assert.equal(entries.get('source/run.sh')!.mode, 0o755)
  assert.equal(entries.get('source/folder/')!.type, 'directory')
  assert.equal(entries.get('source/folder/link')!.linkname, '../run.sh')
})

test('a file that becomes shorter while it is read is an error that names it', async () => {
  await using source = await makeSource()
  const path = join(source.path, 'a-log')
  await source.write('a-log', Buffer.alloc(8_000_000))
  const manifest = await readLocalManifest(source.path, [])
  const upload = uploadOf(manifest, () => undefined)
  const read = async () => {
    let pieces = 0
    for await (const _piece of upload) if (++pieces === 3) await truncate(path, 10)
  }
  await assert.rejects(read(), { code: 'invalid', message: 'a-log became shorter while it was read' })
})

test('thousands of files go by in pieces of bounded size, read only as they are taken', async () => {
  await using source = await makeSource()
  for (let at = 0; at < 3000; at++) await source.write(`f${at}`, `${at}`.repeat(200))
  const manifest = await readLocalManifest(source.path, [])
  let largest = 0
  let bytes = 0
  for await (const piece of uploadOf(manifest, () => undefined)) {
    largest = Math.max(largest, piece.length)
    bytes += piece.length
  }
  assert.ok(bytes > 3000 * 1024)
  assert.ok(largest <= 2 * 512 * 1024, `${largest}`)
})

test('a directory without a compose file says so, one that is not there too', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'upload-'))
  await assert.rejects(readLocalManifest(folder.path, []), { code: 'manifest-missing' })
  await assert.rejects(readLocalManifest(join(folder.path, 'nope'), []), {
    code: 'usage',
    message: /no such directory/,
  })
  await assert.rejects(readLocalManifest(folder.path, ['compose.yml']), { code: 'manifest-missing' })
  await assert.rejects(readLocalManifest(folder.path, ['../compose.yml']), {
    code: 'usage',
    message: /not inside/,
  })
})

test('several compose files keep their order', async () => {
  await using source = await makeSource()
  await source.write('more.yml', 'services:\n  web:\n    command: run\n')
  const { source: texts } = await readLocalManifest(source.path, [
    'docker-compose.yml',
    join(source.path, 'more.yml'),
  ])
  assert.deepEqual(
    texts.files.map(({ path }) => path),
    ['docker-compose.yml', 'more.yml'],
  )
  assert.equal(texts.files[1]!.text, await readFile(join(source.path, 'more.yml'), 'utf8'))
})

test('the .env beside a compose file further down is not mixed up with that at the top, and is not built', async () => {
  await using source = await makeSource()
  await mkdir(join(source.path, 'deploy'))
  await source.write('deploy/compose.yml', 'services: { web: { build: .., env_file: ../.env } }\n')
  await source.write('deploy/.env', 'SECRET=2\n')
  const entries = await entriesOf(source.path, ['deploy/compose.yml'])
  assert.equal(entries.get('manifest/dotenv')?.text, 'SECRET=2\n')
  assert.equal(entries.get('manifest/files/.env')?.text, 'SECRET=1\n')
  assert.ok(entries.has('source/deploy/compose.yml'))
  assert.ok(!entries.has('source/deploy/.env') && !entries.has('source/.env'))
})

test('what the rack keeps is named and not sent, as often as it is kept', async () => {
  await using source = await makeSource()
  for (const path of ['a.js', 'b.js', 'c.js']) await source.write(path, 'same\n')
  const large = randomBytes(1_500_000)
  await source.write('large', large)
  await chmod(join(source.path, 'a.js'), 0o755)
  const hashOf = (content: string | Buffer) => hash('sha256', content, 'base64url')
  const same = hashOf('same\n')
  const kept = { id: 'kept', files: [same, hashOf(large), same, hashOf('of a file that is gone')] }
  const manifest = await readLocalManifest(source.path, [])
  const sent = new Map<string, string>()
  for await (const { header, content } of readTar(uploadOf(manifest, () => undefined, { kept }))) {
    sent.set(header.name, Buffer.concat(await Array.fromAsync(content)).toString())
  }
  const { files } = JSON.parse(sent.get('unchanged.json')!) as { files: [string, number, number, string][] }
  assert.deepEqual(
    files.map(([path, mode, , of]) => [path, mode, of]),
    [
      ['a.js', 0o755, same],
      ['b.js', 0o644, same],
      ['large', 0o644, hashOf(large)],
    ],
  )
  const names = [...sent.keys()]
  assert.ok(names.indexOf('unchanged.json') < names.indexOf('source/Dockerfile'))
  assert.ok(names.includes('source/c.js') && names.includes('source/Dockerfile'))
  assert.ok(!names.includes('source/a.js') && !names.includes('source/large'))
})
