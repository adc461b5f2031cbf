import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { exampleResult } from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'
import { RackError } from '../../domain/error.ts'
import type { LinkCheck, ProcessLinkInfo } from '../../domain/link-check.ts'
import type { Release } from '../../domain/release.ts'
import type { LinkInfo } from '../../operations/links/link-operations.ts'
import type { Operations } from '../../operations/operations.ts'
import type { ChangedService, NewService } from '../../operations/services/service-operations.ts'
import type { ServiceInfo } from '../../operations/services/service-info.ts'

const url = 'postgres://app:hush-4711@db.example.com/shop'
const link = {
  app: 'shop',
  alias: 'db',
  service: 'main',
  version: 'VAAAAAAAAAA',
  isLive: true,
  isNewest: true,
}
const address = { scheme: 'postgres', host: 'db.example.com', port: 5432, path: '/shop' }
const created = '2026-11-29T00:00:00.000Z'
const service: ServiceInfo = {
  backedUp: null,
  backupFailed: null,
  inside: null,
  name: 'main',
  type: 'url',
  status: 'running',
  detail: null,
  run: null,
  created,
  version: 'VAAAAAAAAAA',
  address,
  since: created,
  links: [link],
}
const release = (app: string): Release => {
  return {
    id: `R${app.toUpperCase()}`,
    app,
    build: null,
    description: 'link',
    created,
    basedOn: null,
    links: [],
  }
}

function scripted() {
  const given: (NewService | string[])[] = []
  const changed: ChangedService = { service, releases: [], warning: 'db.example.com:5432 does not answer' }
  const rack: Partial<Operations> = {
    listServices: async () => [service],
    getService: async () => service,
    createService: async (asked) => {
      given.push(asked)
      return changed
    },
    setServiceUrl: async (...asked) => {
      given.push([asked[0], asked[1].url ?? ''])
      const version = 'VBBBBBBBBBB'
      return { service: { ...service, version }, releases: ['shop', 'blog'].map(release), warning: null }
    },
    revealService: async () => ({ url }),
    promoteRelease: async (app) => {
      if (app === 'shop') throw new RackError('deploy-failed', 'web exited with 1')
      return { ...exampleResult, app }
    },
  }
  return { rack, given }
}

test('a URL is taken from a word, a file or standard input, and is nowhere repeated', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rack-url-'))
  await writeFile(join(folder, 'main.url'), `${url}\n`)
  const { rack, given } = scripted()
  const title = process.title
  const create = ['services', 'create', 'url', '--name', 'main']
  const typed = [
    await typeCommand([...create, '--url', url], { rack }),
    await typeCommand(['services', 'create', url, '--name', 'main'], { rack }),
    await typeCommand([...create, '--url-file', 'main.url'], { rack, cwd: folder }),
    await typeCommand([...create, '--url-file', '-'], { rack, input: [Buffer.from(url)] }),
    await typeCommand(create, { rack, input: [Buffer.from(`${url}\n`)] }),
  ]
  process.title = title
  await rm(folder, { recursive: true })
  assert.deepEqual(new Set(given.map((each) => ('url' in each ? each.url?.trim() : '?'))), new Set([url]))
  for (const { code, stdout, stderr } of typed) {
    assert.equal(code, 0, stderr)
    assert.match(
      stderr,
      /^db\.example\.com:5432 does not answer\nmain is there: postgres at db\.example\.com:5432\/shop\n/,
    )
    assert.doesNotMatch(stdout + stderr, /4711/)
  }
  const nothing = await typeCommand(create, { rack })
  assert.deepEqual([nothing.code, nothing.stderr.includes('--url-file')], [2, true])
  assert.equal((await typeCommand([...create, '--url-file', 'none'], { rack })).code, 2)
  assert.equal((await typeCommand(['services', 'create', 'url', '--url', url], { rack })).code, 2)
})

test('a change of the URL is promoted app by app, and one that fails does not keep the others', async () => {
  const { rack, given } = scripted()
  const input = [Buffer.from(url)]
  const told = await typeCommand(['services', 'set-url', 'main'], { rack, input })
  assert.deepEqual([told.code, told.stdout], [0, 'RSHOP\nRBLOG\n'])
  assert.deepEqual(given, [['main', url]])
  const promoted = await typeCommand(['services', 'set-url', 'main', '--promote'], { rack, input })
  assert.equal(promoted.code, 1)
  assert.match(
    promoted.stderr,
    /shop: web exited with 1\ntry again: rack releases promote RSHOP --app shop\n/,
  )
  assert.match(promoted.stderr, /1 of 2 apps are promoted; not: shop\n$/)
})

test('services are listed and told of; the URL only when it is asked for', async () => {
  const { rack } = scripted()
  const listed = await typeCommand(['services'], { rack })
  assert.match(
    listed.stdout,
    /^main +url +running +postgres at db\.example\.com:5432\/shop +.* +shop \(as db\)$/m,
  )
  const plain = await typeCommand(['services', 'info', 'main', '--json'], { rack })
  assert.doesNotMatch(plain.stdout, /4711/)
  const revealed = await typeCommand(['services', 'info', 'main', '--reveal'], { rack })
  assert.match(revealed.stdout, /^url +postgres:\/\/app:hush-4711@/m)
})

test('links are drawn as a tree and as a graph, and making one says what to type next', async () => {
  const links: LinkInfo[] = [
    { ...link, type: 'url', address },
    { ...link, alias: 'cache', service: 'sessions', isLive: false, type: 'url', address: null },
    { ...link, app: 'blog', alias: 'main', isNewest: false, type: 'url', address },
  ]
  const changed = { alias: 'db', release: release('shop'), isNew: false, notes: ['db is a stand-in'] }
  const toRedis = { app: 'shop', process: 'web', target: 'redis', scheme: 'redis', port: 6379 }
  const between: ProcessLinkInfo[] = [
    { ...toRedis, alias: 'queue' },
    { ...toRedis, alias: 'redis' },
  ]
  const asked: unknown[] = []
  const rack: Partial<Operations> = {
    listLinks: async () => links,
    listProcessLinks: async () => between,
    createLink: async (...given) => {
      asked.push(given.slice(0, 2))
      return changed
    },
  }
  const tree = await typeCommand(['links'], { rack })
  assert.equal(
    tree.stdout,
    [
      'shop',
      '├─ db → main (postgres at db.example.com:5432/shop)',
      '├─ cache → sessions (no more), from the next promote on',
      '└─ web',
      '   ├─ queue → redis (process, redis on 6379)',
      '   └─ redis → redis (process, redis on 6379)',
      'blog',
      '└─ main → main (postgres at db.example.com:5432/shop), until the next promote',
      '',
    ].join('\n'),
  )
  const graph = await typeCommand(['links', '--dot'], { rack })
  assert.match(graph.stdout, /^digraph links \{\n[\s\S]*"app shop" -> "service main" \[label="db"\]\n/)
  assert.match(graph.stdout, /"process shop web" -> "process shop redis" \[label="queue"\]\n/)
  const whole = JSON.parse((await typeCommand(['links', '--json'], { rack })).stdout) as Record<
    string,
    unknown[]
  >
  assert.deepEqual([whole['services']?.length, whole['processes']?.length], [3, 2])
  const made = await typeCommand(['links', 'create', 'main', '--as', 'db', '--app', 'shop'], { rack })
  assert.deepEqual(
    [made.code, made.stdout, asked],
    [0, 'RSHOP\n', [['shop', { service: 'main', alias: 'db' }]]],
  )
  assert.match(
    made.stderr,
    /nothing was changed[\s\S]*db is a stand-in\n[\s\S]*rack releases promote RSHOP --app shop/,
  )
})

test('links that were opened are listed with their times; one that cannot be used is exit code 1', async () => {
  const opened: LinkCheck = {
    app: 'shop',
    alias: 'db',
    kind: 'service',
    target: 'main',
    host: 'db',
    port: 5432,
    process: 'web',
    from: 'PABCDEFGHIJ',
    connectMs: 1.234,
    loginMs: 41.2,
    problem: null,
  }
  const refused = { ...opened, from: null, connectMs: null, loginMs: null, problem: 'refused\n twice' }
  let checks = [opened]
  const rack: Partial<Operations> = { checkLinks: async () => checks }
  const well = await typeCommand(['links', 'check'], { rack })
  assert.equal(well.code, 0)
  assert.match(well.stdout, /^shop +db → main +web \(PABCDEFGHIJ\) +1\.2 ms +41 ms +–$/m)
  checks = [opened, refused]
  const ill = await typeCommand(['links', 'check', '--app', 'shop'], { rack })
  assert.equal(ill.code, 1)
  assert.match(ill.stdout, /^shop +db → main +the rack, for web +– +– +refused; twice$/m)
  assert.match(ill.stderr, /1 of 2 links cannot be used/)
  assert.deepEqual(JSON.parse((await typeCommand(['links', 'check', '--json'], { rack })).stdout), checks)
})

test('what a link is to say is asked for by options, and a login is ended at once after a promote alone', async () => {
  const asked: unknown[] = []
  const rack: Partial<Operations> = {
    createLink: async (...given) => {
      asked.push(given[1])
      return { alias: 'db', release: release('shop'), isNew: true, notes: [] }
    },
    deleteLink: async () => ({ alias: 'db', release: release('shop'), isNew: true, notes: [] }),
    dropServiceData: async (...given) => void asked.push(given.slice(0, 2)),
  }
  const type = (...words: string[]) => typeCommand(words, { rack })
  const options = ['--process', 'web, worker', '--database', 'shared', '--key-prefix', 'shop:']
  assert.equal((await type('links', 'create', 'main', '--app', 'shop', ...options)).code, 0)
  assert.deepEqual(asked.pop(), {
    service: 'main',
    processes: ['web', 'worker'],
    database: 'shared',
    keyPrefix: 'shop:',
  })
  const early = await type('links', 'delete', 'db', '--app', 'shop', '--now')
  assert.equal(early.code, 2)
  assert.match(early.stderr, /--now is said with --promote/)
  assert.equal((await type('services', 'drop-data', 'main', 'shop_db')).code, 2)
  const dropped = await type('services', 'drop-data', 'main', 'shop_db', '--yes')
  assert.match(dropped.stderr, /shop_db of main is no more/)
  assert.deepEqual(asked, [['main', 'shop_db']])
})

test('info tells what a service that runs here holds, and url where a service is', async () => {
  const run = {
    image: 'postgres:15',
    says: '15.4',
    cpuUnits: 256,
    memoryBytes: 2 ** 29,
    restarts: 1,
    kept: 'postgres:13',
    volumes: 1,
    managed: false,
    leavesSnapshot: false,
  }
  const data = [
    { name: 'old_db', links: [] },
    { name: 'shop_db', links: ['shop (as db)'] },
  ]
  const inside = { bytes: 3 * 2 ** 20, connections: 4, data }
  const detail = 'running, crashed (137, OOM) ×1'
  const rack: Partial<Operations> = {
    getService: async () => ({ ...service, type: 'postgres', run, detail, inside }),
    revealService: async () => ({ url }),
  }
  const { stdout } = await typeCommand(['services', 'info', 'main'], { rack })
  assert.match(stdout, /^process +running, crashed \(137, OOM\) ×1\n(.*\n)*connections +4\nsize +3 MiB\n/m)
  assert.match(
    stdout,
    /^last backup +never\ndata +old_db, of no link now\ndata +shop_db, of shop \(as db\)\n/m,
  )
  const plain = await typeCommand(['services', 'url', 'main'], { rack })
  assert.equal(plain.stdout, 'postgres://db.example.com:5432/shop\n')
  assert.equal((await typeCommand(['services', 'url', 'main', '--reveal'], { rack })).stdout, `${url}\n`)
})

test('a service of the account is asked for by a word; its end tells what the account keeps', async () => {
  const asked: unknown[] = []
  const run = {
    image: 'postgres:15',
    says: null,
    cpuUnits: 128,
    memoryBytes: 2 ** 28,
    restarts: 0,
    kept: null,
    volumes: 0,
    managed: true,
    leavesSnapshot: true,
  }
  const info = { ...service, type: 'postgres', run, detail: 'running' }
  const rack: Partial<Operations> = {
    async createService({ name, managed, memoryBytes }) {
      asked.push([name, managed, memoryBytes])
      return { service: info, releases: [], warning: null }
    },
    getService: async () => info,
    deleteService: async () => ({ snapshot: 'rack-r-service-main-snapshot-1' }),
  }
  const words = ['services', 'create', 'postgres', '--name', 'main', '--managed', '--memory', '4g']
  const made = await typeCommand(words, { rack })
  assert.match(made.stderr, /main is there: postgres:15, run by the account/)
  assert.deepEqual(asked, [['main', true, 4 * 2 ** 30]])
  const gone = await typeCommand(['services', 'delete', 'main', '--yes'], { rack })
  assert.match(gone.stderr, /main is deleted\n.*keeps its last snapshot: rack-r-service-main-snapshot-1/)
})

test('another version of what the account runs is asked about: nothing brings it back', async () => {
  const asked: unknown[] = []
  const resources = { cpuUnits: 256, memoryBytes: 2 ** 29 }
  const rack: Partial<Operations> = {
    planServiceUpdate: async () => ({
      kind: 'version',
      image: 'memcached:1.6',
      ...resources,
      bytes: null,
      estimateMs: null,
      says: 'All that is in it is gone then',
    }),
    async updateService(name, { version }) {
      asked.push([name, version])
      return { service, pausedMs: 1000, backup: null }
    },
  }
  const words = ['services', 'update', 'main', '--version', '1.6']
  const refused = await typeCommand(words, { rack })
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /as memcached:1\.6 .+ ten minutes or more .+ All that is in it is gone then/)
  assert.deepEqual(asked, [])
  assert.equal((await typeCommand([...words, '--yes'], { rack })).code, 0)
  assert.deepEqual(asked, [['main', '1.6']])
})

test('Ctrl-C while a service is created takes it back, and says so', async () => {
  let interrupt = () => {}
  const gone = Promise.withResolvers<void>()
  const asked: string[] = []
  const rack: Partial<Operations> = {
    async createService({ name }) {
      asked.push(`create ${name}`)
      interrupt()
      await gone.promise
      throw new RackError('cancelled', `the service ${name} is wanted no more`)
    },
    async deleteService(name) {
      asked.push(`delete ${name}`)
      gone.resolve()
      return { snapshot: null }
    },
  }
  const onListen = (listener: () => void) => {
    interrupt = listener
  }
  const typed = await typeCommand(['services', 'create', 'postgres', '--name', 'main'], { rack, onListen })
  assert.deepEqual([typed.code, asked], [130, ['create main', 'delete main']])
  assert.match(typed.stderr, /cancelling the creation of main[\s\S]*the service main is wanted no more/)
})
