import assert from 'node:assert/strict'
import { mkdtempDisposable, readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCounterLedger } from './counters.ts'
import { createRouteFiles } from './route-files.ts'
import type { RouteTable, Server } from './route-table.ts'
import type { Statistics } from './runtime-api.ts'
import { sharesOf, usualPatience } from './shares.ts'

const control = { signal: new AbortController().signal, report: () => undefined }
const first: Server = { process: 'PAAAAAAAAAA', release: 'R1', address: '10.0.0.2', port: 3000 }
const second: Server = { ...first, process: 'PBBBBBBBBBB', address: '10.0.0.3' }

const settings = {
  hardStopAfterMs: 1000,
  trustedProxies: [],
  shares: sharesOf(8000),
  patience: usualPatience,
  shown: null,
  canHold: async () => true,
}

function tableOf(host: string, servers: Server[]): RouteTable {
  const check = { kind: 'tcp' } as const
  const times = { intervalMs: 500, timeoutMs: 500, rise: 1, fall: 2, drainMs: 1000 }
  const http = [{ type: 'web', port: 3000, hosts: [host], backend: { check, ...times, servers } }]
  return { httpBind: '0.0.0.0', httpPort: 8080, apps: [{ app: 'shop', http, tcp: [] }] }
}

test('HAProxy is asked about a new structure, and not about servers that come and go', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'route-files-'))
  let checks = 0
  const files = createRouteFiles({
    ...settings,
    directory: directory.path,
    check: async (path) => {
      checks++
      if ((await readFile(path, 'utf8')).includes('refused.localhost')) throw new Error('refused')
    },
  })
  const config = () => readFile(join(directory.path, 'haproxy.cfg'), 'utf8')
  const write = (table: RouteTable) => files.write({ table, served: table }, control)

  await write(tableOf('shop.localhost', [first]))
  assert.equal(checks, 1)
  await write(tableOf('shop.localhost', [first, second]))
  assert.equal(checks, 1)
  assert.match(await config(), /10\.0\.0\.3:3000/)
  const bad = tableOf('refused.localhost', [first])
  bad.apps[0]!.http[0]!.backend.check = { kind: 'http', path: '/health' }
  await assert.rejects(write(bad), /refused/)
  // What was refused has left nothing behind that the next one could be taken for.
  await assert.rejects(write(bad), /refused/)
  assert.equal(checks, 3)
  assert.match(await config(), /10\.0\.0\.3:3000/)
})

test('the map of host names is written when a name changes, and not when servers do', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'route-files-'))
  const files = createRouteFiles({ ...settings, directory: directory.path, check: async () => {} })
  const write = async (table: RouteTable) => {
    await files.write({ table, served: table }, control)
    const maps = (await readdir(directory.path)).filter((name) => name.endsWith('.map'))
    assert.equal(maps.length, 1)
    const path = join(directory.path, maps[0]!)
    return { inode: (await stat(path)).ino, text: await readFile(path, 'utf8') }
  }
  const { inode, text } = await write(tableOf('shop.localhost', [first]))
  assert.match(text, /^shop\.localhost shop\.http/m)
  assert.deepEqual(await write(tableOf('shop.localhost', [second])), { inode, text })
  const renamed = await write(tableOf('store.localhost', [second]))
  assert.match(renamed.text, /^store\.localhost shop\.http/m)
})

test('counters are written when something was counted', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'route-files-'))
  const files = createRouteFiles({ ...settings, directory: directory.path, check: async () => {} })
  const ledger = createCounterLedger(undefined)
  const write = async () => {
    await files.writeCounters(ledger.state())
    return (await stat(join(directory.path, 'counters.json'))).ino
  }
  const first = await write()
  assert.equal(await write(), first)
  ledger.record(new Map([['1:1', [statistics(5)]]]))
  const second = await write()
  assert.notEqual(second, first)
  assert.deepEqual(await files.loadCounters(), ledger.state())
  assert.equal(await write(), second)
})

function statistics(requests: number): Statistics {
  const none = {
    serverErrors: 0,
    connectErrors: 0,
    responseErrors: 0,
    serverAborts: 0,
    busy: 0,
    refused: 0,
    longestMs: 0,
    answerMs: 0,
  }
  return { backend: 'shop.http.3000.web', server: 'PAAAAAAAAAA', mode: 'http', requests, ...none }
}
