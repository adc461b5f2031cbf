import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack } from 'tar-stream'
import { buildSpec } from '../../../../test/support/build-spec.ts'
import { unpackTar } from '../../../../test/support/tar.ts'
import { RackError } from '../../../domain/error.ts'
import type { BuildSpec } from '../../../domain/manifest.ts'
import { readTar } from '../../../lib/tar.ts'
import { contextOf, readBuildTexts } from './build-context.ts'

function sourceOf(files: Record<string, string>): () => AsyncIterable<Uint8Array> {
  return () => {
    const tar = pack()
    for (const [name, content] of Object.entries(files)) tar.entry({ name }, content)
    tar.finalize()
    return tar as AsyncIterable<Uint8Array>
  }
}

async function namesIn(files: Record<string, string>, overrides: Partial<BuildSpec>): Promise<string[]> {
  const spec = buildSpec(overrides)
  const source = sourceOf(files)
  const context = contextOf(
    source,
    spec,
    await readBuildTexts(source, [spec], AbortSignal.timeout(5000)),
    'web',
  )
  const names: string[] = []
  for await (const { header } of readTar(context.open())) names.push(header.name)
  assert.ok(names.includes(context.dockerfile))
  return names.toSorted()
}

const dockerfile = 'FROM a\n'

test('a context is its directory alone, with names from there', async () => {
  const files = { 'api/Dockerfile': dockerfile, './api/src/a': '', 'api2/b': '', Dockerfile: 'FROM other\n' }
  assert.deepEqual(await namesIn(files, { context: './api' }), ['Dockerfile', 'src/a'])
})

test('a Dockerfile is sent although it is ignored, with rules by which the classic builder hides it', async () => {
  const files = { Dockerfile: dockerfile, '.dockerignore': '*\n!keep\n', keep: '', drop: '' }
  assert.deepEqual(await namesIn(files, {}), ['.dockerignore', 'Dockerfile', 'keep'])
  const [spec, source] = [buildSpec(), sourceOf(files)]
  const texts = await readBuildTexts(source, [spec], AbortSignal.timeout(5000))
  const { openWithout } = contextOf(source, spec, texts, 'web')
  const seen = await unpackTar(openWithout!())
  assert.deepEqual(
    seen.map(({ name }) => name),
    ['keep'],
  )
})

test('rules named for the Dockerfile win over the common ones', async () => {
  const files = {
    'ops/web.Dockerfile': dockerfile,
    'ops/web.Dockerfile.dockerignore': 'a\n',
    '.dockerignore': 'b\n',
    a: '',
    b: '',
  }
  const names = await namesIn(files, { dockerfile: 'ops/web.Dockerfile' })
  assert.ok(names.includes('b') && !names.includes('a'))
})

test('a Dockerfile beside the context goes with it', async () => {
  const names = await namesIn(
    { Dockerfile: dockerfile, 'app/main': '' },
    { context: 'app', dockerfile: '../Dockerfile' },
  )
  assert.deepEqual(names, ['.dockerignore', '.rack.Dockerfile', 'main'])
})

test('a Dockerfile of the compose file goes with its context, whose rules hold', async () => {
  const inline = 'FROM scratch\nCOPY keep /\n'
  const files = {
    'app/Dockerfile': 'FROM other\n',
    'app/.dockerignore': '*\n!keep\n',
    'app/.rack.Dockerfile': 'FROM forged\n',
    'app/keep': 'kept',
    'app/drop': '',
  }
  for (const dockerfile of ['Dockerfile', '']) {
    const spec = buildSpec({ context: 'app', dockerfile, inline })
    const source = sourceOf(files)
    const texts = await readBuildTexts(source, [spec], AbortSignal.timeout(5000))
    const context = contextOf(source, spec, texts, 'web')
    const found = await unpackTar(context.open())
    assert.equal(context.dockerfileText, inline)
    assert.deepEqual(
      found.map(({ name, content }) => [name, content]),
      [
        [context.dockerfile, inline],
        ['.dockerignore', '.dockerignore\n.rack.Dockerfile\n'],
        ['keep', 'kept'],
      ],
    )
  }
})

test('a Dockerfile of the compose file needs no source at all', async () => {
  assert.deepEqual(await namesIn({}, { inline: 'FROM scratch\n' }), ['.dockerignore', '.rack.Dockerfile'])
})

test('what is wrong with the texts is said', async () => {
  const hasCode = (code: string) => (error: unknown) => error instanceof RackError && error.code === code
  await assert.rejects(namesIn({ other: '' }, {}), hasCode('build-failed'))
  await assert.rejects(namesIn({ Dockerfile: dockerfile, '.dockerignore': '[z-a]' }, {}), hasCode('invalid'))
  await assert.rejects(namesIn({ Dockerfile: 'x'.repeat(1024 * 1024 + 1) }, {}), hasCode('too-large'))
})
