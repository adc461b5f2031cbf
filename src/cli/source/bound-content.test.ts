import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeSource } from '../../../test/support/source.ts'
import { readTar } from '../../lib/tar.ts'
import { readLocalManifest } from './read-manifest-source.ts'
import { uploadOf } from './upload.ts'

const composeOf = (binds: string[], build?: string) => {
  const volumes = JSON.stringify(binds.map((source) => `${source}:/m/${binds.indexOf(source)}`))
  return `services:\n  web:\n    image: x\n    volumes: ${volumes}\n${build ? `  other: { build: ${build} }\n` : ''}`
}

/** What the source has where bind mounts look, and the paths that are sent. */
async function look(
  binds: string[],
  files: Record<string, string>,
  more: { build?: string; prepare?: (directory: string) => Promise<unknown> } = {},
) {
  await using source = await makeSource({ 'docker-compose.yml': composeOf(binds, more.build), ...files })
  await more.prepare?.(source.path)
  const manifest = await readLocalManifest(source.path, [])
  const sent: string[] = []
  for await (const { header } of readTar(uploadOf(manifest, () => undefined))) {
    if (header.name.startsWith('source/')) sent.push(header.name.slice('source/'.length).replace(/\/$/, ''))
  }
  const places = Object.entries(manifest.source.places ?? {}).map(([path, { holds }]) => `${path} ${holds}`)
  return { places, sent, contents: manifest.source.contents }
}

test('a file and a folder are sent, what is not there or empty is not', async () => {
  const { places, sent } = await look(['./a.conf', './html', './none', './empty', '../elsewhere-too'], {
    'a.conf': '',
    'html/index.html': '',
    'html/deep/page': '',
    'empty/.gitkeep': '',
    'other/file': '',
  })
  assert.deepEqual(places, [
    'a.conf file',
    'html folder',
    'none nothing',
    'empty empty',
    '../elsewhere-too nothing',
  ])
  assert.deepEqual(sent, ['a.conf', 'html', 'html/deep', 'html/deep/page', 'html/index.html'])
})

test('.dockerignore holds for folders, and for no file that is named itself', async () => {
  const { places, sent } = await look(['./data', './html', './html/draft.html'], {
    '.dockerignore': 'data\n**/draft.html\n',
    'data/rows': '',
    'html/draft.html': '',
    'html/page': '',
  })
  assert.deepEqual(places, ['data ignored', 'html folder', 'html/draft.html file'])
  assert.deepEqual(sent, ['.dockerignore', 'html', 'html/draft.html', 'html/page'])
})

test('the rules of a build context hold inside it, in place of those further out', async () => {
  const files = {
    '.dockerignore': 'front\n',
    'front/Dockerfile': 'FROM x\n',
    'front/.dockerignore': 'node_modules\n',
    'front/src/a': '',
    'front/node_modules/b': '',
  }
  const { places, sent } = await look(['./front'], files, { build: './front' })
  assert.deepEqual(places, ['front folder'])
  assert.deepEqual(
    sent.filter((path) => path.startsWith('front/')),
    ['front/.dockerignore', 'front/Dockerfile', 'front/src', 'front/src/a'],
  )
  const around = await look(['.'], files, { build: './front' })
  assert.ok(!around.sent.includes('front/node_modules/b'))
})

test('variables, secrets and what is of git or the rack are never taken', async () => {
  const { places, sent, contents } = await look(['./app', './app/.env'], {
    'app/.env': 'TOKEN=x',
    'app/.git/config': '',
    'app/.rack/app': 'shop',
    'app/main': '',
  })
  assert.deepEqual(places, ['app folder', 'app/.env withheld'])
  assert.deepEqual(sent, ['app', 'app/main'])
  const token = Buffer.from('TOKEN=x').toString('base64')
  assert.deepEqual(contents, { 'app/.env': token }, 'it travels with the manifest')
})

test('a link inside the source is followed, one that leads out is not', async () => {
  const { places, sent } = await look(
    ['./current/app.conf', './out', './app.sock'],
    { 'v1/app.conf': '' },
    {
      prepare: async (directory) => {
        await symlink('v1', join(directory, 'current'))
        await symlink('/etc', join(directory, 'out'))
      },
    },
  )
  assert.deepEqual(places, ['current/app.conf file', 'out outside', 'app.sock nothing'])
  assert.deepEqual(sent, ['current', 'v1', 'v1/app.conf'])
})

test('a socket is neither a file nor a folder', async () => {
  const server = createServer()
  const listening = (directory: string) =>
    new Promise<void>((resolve) => server.listen(join(directory, 'app.sock'), resolve))
  const { places } = await look(['./app.sock'], {}, { prepare: listening })
  await new Promise((resolve) => server.close(resolve))
  assert.deepEqual(places, ['app.sock special'])
})
