import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import type { Operations } from '../../operations/operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

test('a dump goes to a file or to standard output, and what is said of it beside', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-dumps-'))
  const asked: unknown[] = []
  const rack: Partial<Operations> = {
    async exportService(service, request, terminal) {
      asked.push([service, request])
      await terminal.output('stderr', Buffer.from('exporting shop_db of main\n'))
      for (const text of ['PG', 'DMP']) await terminal.output('stdout', Buffer.from(text))
      return 0
    },
  }
  const type = (...words: string[]) =>
    typeCommand(['services', 'export', 'main', ...words], { rack, cwd: folder.path })
  const piped = await type()
  assert.deepEqual([piped.code, piped.stdout], [0, 'PGDMP'])
  assert.match(piped.stderr, /exporting shop_db of main/)
  const saved = await type('--database', 'shop_db', '--output', 'shop.dump')
  assert.match(saved.stderr, /shop\.dump is written \(5 B\)/)
  assert.equal(await readFile(join(folder.path, 'shop.dump'), 'utf8'), 'PGDMP')
  assert.deepEqual(asked, [
    ['main', { database: null }],
    ['main', { database: 'shop_db' }],
  ])
  const json = await type('--output', 'again.dump', '--json')
  const facts = { service: 'main', database: null, file: 'again.dump', bytes: 5 }
  assert.deepEqual(JSON.parse(json.stdout), facts)
  assert.match((await type('--json')).stderr, /leaves no room for --json[\s\S]*--output FILE/)
})

test('a dump that fails in its middle is no file, and says why', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'rack-dumps-'))
  const rack: Partial<Operations> = {
    async exportService(_service, _request, terminal) {
      await terminal.output('stdout', Buffer.from('PGDMP'))
      throw new RackError('service-failed', 'pg_dump ended with 1: no room for a lock')
    },
  }
  const words = ['services', 'export', 'main', '--output', 'shop.dump']
  const typed = await typeCommand(words, { rack, cwd: folder.path })
  assert.equal(typed.code, 1)
  assert.match(typed.stderr, /pg_dump ended with 1: no room for a lock/)
  assert.deepEqual(await readdir(folder.path), [])
})

test('a dump comes from standard input, and what the rack says of it is told', async () => {
  const asked: unknown[] = []
  const rack: Partial<Operations> = {
    async importService(service, request, terminal) {
      const chunks = await Array.fromAsync(terminal.input!)
      asked.push([service, request, Buffer.concat(chunks).toString()])
      await terminal.output('stderr', Buffer.from('importing it\n'))
      if (!request.force)
        throw new RackError('conflict', 'main is not empty', { hint: '--force replaces it' })
      return 0
    },
  }
  const type = (...words: string[]) =>
    typeCommand(['services', 'import', 'main', ...words], { rack, input: [Buffer.from('PGDMP')] })
  const full = await type()
  assert.equal(full.code, 1)
  assert.match(full.stderr, /importing it[\s\S]*main is not empty[\s\S]*--force replaces it/)
  const done = await type('--force', '--database', 'shop_db', '--json')
  assert.deepEqual(JSON.parse(done.stdout), { service: 'main', database: 'shop_db', bytes: 5 })
  assert.deepEqual(asked, [
    ['main', { database: null, force: false }, 'PGDMP'],
    ['main', { database: 'shop_db', force: true }, 'PGDMP'],
  ])
})
