import assert from 'node:assert/strict'
import { test } from 'node:test'
import { roles } from '../domain/token.ts'
import { verbs, type VerbName } from '../operations/verbs.ts'
import { serveDoor } from '../../test/support/scripted-operations.ts'
import { startMemoryRack } from '../../test/support/memory-rack.ts'

const compose = 'services:\n  web:\n    image: shop\n    ports: ["80:3000"]\n    command: serve\n'

test('Prometheus reads what can be watched, by a token that may do nothing else', async () => {
  await using rack = await startMemoryRack()
  const { operations } = rack
  await operations.createApp('shop')
  const release = await rack.deploy('shop', compose)
  const web = (await operations.listProcesses('shop', {}, rack.control))[0]!.id
  const gone = { id: 'PAAAAAAAAAA', app: 'shop', type: 'web', kind: 'process', release } as const
  const news = { ...gone, status: 'crashed', detail: null, restarts: 4, outOfMemory: 1 } as const
  await rack.store.processes.tell('shop', [{ change: 'created', process: news }])
  const tally = { requests: 12, failed: 3 }
  const served = {
    shop: { ...tally, held: 1, releases: { [release]: tally }, answerMs: { [release]: 25 }, copies: {} },
  }
  const watched = await rack.restart({
    host: {
      describe: async () => ({
        http: '',
        https: null,
        daemon: { pid: 1 },
        router: { pid: null, load: null },
      }),
      traffic: async () => served,
      disk: async () => ({ totalBytes: 100, freeBytes: 40, storeBytes: null }),
      unservedPorts: async () => [],
      updateRouter: async () => undefined,
      configuration: () => ({}),
      servesTls: false,
      names: async () => [],
      withoutCertificates: null,
      nameStates: () => [],
      balancerOf: () => null,
      dnsHook: null,
    },
  })
  const create = (name: string, role: (typeof roles)[number], apps: string[] | null) =>
    watched.operations
      .as({ name: 'test', role: 'admin', apps: null })
      .createToken({ name, role, apps, lifetimeMs: null })
  const { token } = await create('prometheus', 'metrics', null)
  await using face = await serveDoor(watched.operations)
  const ask = async (path: string, bearer: string | null) =>
    await fetch(
      new URL(path, face.url),
      bearer === null ? {} : { headers: { authorization: `Bearer ${bearer}` } },
    )

  const answer = await ask('/metrics', token)
  assert.deepEqual(
    [answer.status, answer.headers.get('content-type')],
    [200, 'text/plain; version=0.0.4; charset=utf-8'],
  )
  const text = await answer.text()
  for (const line of [
    'rack_info{rack="rack",version="0.0.0"} 1',
    'rack_app_requests_total{app="shop"} 12',
    'rack_app_errors_total{app="shop"} 3',
    'rack_app_held_requests_total{app="shop"} 1',
    `rack_release_requests_total{app="shop",release="${release}"} 12`,
    `rack_release_answer_seconds{app="shop",release="${release}"} 0.025`,
    'rack_copies_wanted{app="shop",process="web"} 1',
    'rack_copies_healthy{app="shop",process="web"} 1',
    'rack_copies_restarts{app="shop",process="web"} 0',
    'rack_process_restarts_total{app="shop",process="web"} 4',
    'rack_process_out_of_memory_total{app="shop",process="web"} 1',
    `rack_copy_memory_bytes{app="shop",process="web",copy="${web}"} 1048576`,
    'rack_disk_bytes{state="free"} 40',
    '# TYPE rack_app_requests_total counter',
  ])
    assert.ok(text.includes(`${line}\n`), `${line}\n${text}`)
  assert.match(text, /^# HELP rack_process_restarts_total .*kept through restarts of the rack/m)
  assert.match(text, /^rack_copy_cpu_seconds_total\{app="shop",process="web",copy="P[A-Z]+"\} [\d.e-]+$/m)
  assert.match(text, /^rack_capacity_memory_bytes\{state="free"\} \d+$/m)
  assert.match(text, /^rack_app_change_timestamp_seconds\{app="shop",kind="promote",status="complete"\} \d+/m)
  assert.match(text, /^# TYPE rack_store_bytes gauge\n(?!rack_store_bytes)/m, 'what is not known is not said')

  assert.equal((await ask('/metrics', null)).status, 401)
  const { token: scoped } = await create('scoped', 'admin', ['shop'])
  assert.equal((await ask('/metrics', scoped)).status, 403, 'it names every app')
  for (const path of ['/v1/rack', '/v1/apps', '/v1/apps/shop/environment'])
    assert.equal((await ask(path, token)).status, 403, path)
})

test('the role of metrics may call one verb', () => {
  const theirs = (Object.keys(verbs) as VerbName[]).filter((name) => verbs[name].permission === 'metrics')
  assert.deepEqual(theirs, ['readMetrics'])
  assert.equal(roles[0], 'metrics')
})
