import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../src/store/open-store.ts'
import { runOnSmallDisk } from '../support/small-disk.ts'

const writer = fileURLToPath(new URL('./store-writer.ts', import.meta.url))
const filler = fileURLToPath(new URL('./store-filler.ts', import.meta.url))

/** Lets the program append until it has printed so many ids, kills it, and gives all that it printed. */
async function appendUntilKilled(args: string[], count: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.length >= count * 12) child.kill('SIGKILL')
  })
  const [, signal] = (await once(child, 'close')) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL')
  return text.split('\n').slice(0, -1)
}

test('no acknowledged release is lost when the program is killed', { timeout: 60_000 }, async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-store-'))
  const paths = { directory: join(directory.path, 'data'), keyFile: join(directory.path, 'key') }
  const first = await openStore({ rack: 'home', ...paths })
  await first.apps.create('shop')
  await first.close()
  const acknowledged: string[] = []
  for (const count of [1, 40, 7, 90]) {
    acknowledged.push(...(await appendUntilKilled([paths.directory, paths.keyFile], count)))
  }
  const store = await openStore({ rack: 'home', ...paths })
  const chain = (await store.releases.list('shop', 10_000)).reverse()
  const kept = chain.map((release) => release.id)
  assert.deepEqual(
    acknowledged.filter((id) => !kept.includes(id)),
    [],
  )
  // What was written but not acknowledged may be there: at most one a kill.
  assert.ok(kept.length - acknowledged.length <= 4, `${kept.length} kept of ${acknowledged.length}`)
  chain.forEach((release, i) => assert.equal(release.basedOn, chain[i - 1]?.id ?? null))
  for (const id of [kept[0], kept.at(-1)]) assert.ok((await store.releases.environment('shop', id!))['COUNT'])
  await store.close()
})

test('a full disk is said, and what was acknowledged stays', { timeout: 60_000 }, async () => {
  const { acknowledged, kept, code, hint } = JSON.parse(
    await runOnSmallDisk({ program: filler, kibibytes: 1024 }),
  ) as { acknowledged: number; kept: number; code: string; hint: string }
  assert.equal(code, 'disk-full')
  assert.match(hint, /room/)
  assert.ok(acknowledged > 5)
  assert.equal(kept, acknowledged)
})
