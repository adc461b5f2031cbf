import assert from 'node:assert/strict'
import { mkdtempDisposable, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRouteFiles } from './route-files.ts'
import type { RouteTable, Server } from './route-table.ts'

const control = { signal: new AbortController().signal, report: () => undefined }
const first: Server = { process: 'PAAAAAAAAAA', release: 'R1', address: '10.0.0.2', port: 3000 }
const second: Server = { ...first, process: 'PBBBBBBBBBB', address: '10.0.0.3' }

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
    directory: directory.path,
    hardStopAfterMs: 1000,
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
