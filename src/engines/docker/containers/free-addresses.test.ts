import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { createMemoryAddresses } from '../../../../test/support/memory-addresses.ts'
import { connectDocker } from '../client.ts'
import { labels } from '../labels.ts'
import { freeAddresses } from './free-addresses.ts'

const control = { signal: new AbortController().signal, report: () => undefined }
const pool = { cidr: '10.213.0.0/16', subnetBits: 24 }

/** An engine that knows these containers and notes what it is asked. */
async function serveContainers(processes: string[]) {
  const folder = await mkdtempDisposable(join(tmpdir(), 'engine-'))
  const socketPath = join(folder.path, 'docker.sock')
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://engine')
    response.setHeader('api-version', '1.41').setHeader('content-type', 'application/json')
    if (pathname === '/_ping') return response.end('OK')
    asked.push(pathname)
    const found = processes.map((processId) => ({ Id: processId, Labels: { [labels.process]: processId } }))
    return response.end(JSON.stringify(found))
  })
  server.listen(socketPath)
  await once(server, 'listening')
  return {
    docker: connectDocker({ socketPath }),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await folder.remove()
    },
  }
}

test('one question to the engine frees what no container of any app holds', async () => {
  const apps = Array.from({ length: 20 }, (_, index) => `app-${index}`)
  await using engine = await serveContainers(apps.map((app) => `P-${app}`))
  const addresses = createMemoryAddresses()
  for (const app of apps) {
    await addresses.subnet(app, pool, () => true)
    for (const holder of [`P-${app}`, `gone-${app}`, `making-${app}`]) await addresses.take(app, holder)
  }
  const inFlight = new Set(apps.map((app) => `making-${app}`))
  await freeAddresses({ docker: engine.docker, rack: 'r', addresses, inFlight }, apps.map(appOwner), control)
  for (const app of apps) {
    const left = (await addresses.holders(app)).map(({ holder }) => holder).sort()
    assert.deepEqual(left, [`P-${app}`, `making-${app}`])
  }
  assert.equal(engine.asked.length, 1, engine.asked.join(' '))
})
