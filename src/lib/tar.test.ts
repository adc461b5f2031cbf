import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pack as tarPack } from 'tar-stream'
import { readTar, rewriteTar } from './tar.ts'

function sample(): AsyncIterable<Uint8Array> {
  const pack = tarPack()
  pack.entry({ name: 'manifest/a.yml' }, 'one')
  pack.entry({ name: 'source/bin/run', mode: 0o755 }, 'x'.repeat(200_000))
  pack.entry({ name: 'source/link', type: 'symlink', linkname: 'bin/run' })
  pack.entry({ name: `source/${'deep/'.repeat(60)}file` }, 'far down')
  pack.finalize()
  return pack as AsyncIterable<Uint8Array>
}

test('reads entries in order and may stop early', async () => {
  for await (const { header, content } of readTar(sample())) {
    assert.equal(header.name, 'manifest/a.yml')
    assert.equal(Buffer.concat(await Array.fromAsync(content)).toString(), 'one')
    break
  }
})

test('renames, drops and keeps modes, links and long names', async () => {
  const rewritten = rewriteTar(sample(), (name) => (name.startsWith('source/') ? name.slice(7) : null))
  const seen: [string, string, number][] = []
  for await (const { header, content } of readTar(rewritten)) {
    const bytes = Buffer.concat(await Array.fromAsync(content))
    seen.push([header.name, header.type ?? '', bytes.length || (header.mode ?? 0)])
    if (header.type === 'symlink') assert.equal(header.linkname, 'bin/run')
    if (header.name === 'bin/run') assert.equal(header.mode, 0o755)
  }
  assert.deepEqual(
    seen.map(([name, type]) => [name.slice(0, 10), type]),
    [
      ['bin/run', 'file'],
      ['link', 'symlink'],
      ['deep/deep/', 'file'],
    ],
  )
  assert.equal(seen[0]?.[2], 200_000)
})

test('rejects bytes that are no tar', async () => {
  const garbage = async function* () {
    yield Buffer.alloc(4096, 7)
  }
  await assert.rejects(Array.fromAsync(readTar(garbage())))
})

for (const bytes of [10_000, 200_000]) {
  test(
    `leaving a rewritten tar in its middle ends the source (files of ${bytes})`,
    { timeout: 5000 },
    async () => {
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      const pack = tarPack()
      for (let index = 0; index < 50; index++) pack.entry({ name: `file${index}` }, 'x'.repeat(bytes))
      pack.finalize()
      const whole = Buffer.concat(await Array.fromAsync(pack as AsyncIterable<Uint8Array>))
      const endless = async function* () {
        try {
          for (let at = 0; at < whole.length; at += 65_536) yield whole.subarray(at, at + 65_536)
          await new Promise<never>(() => {})
        } finally {
          resolve()
        }
      }
      for await (const chunk of rewriteTar(endless(), (name) => name)) {
        assert.ok(chunk.length > 0)
        break
      }
      await ended
    },
  )
}
