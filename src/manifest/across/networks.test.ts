import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../test/support/compose.ts'
import { namesInside } from '../../domain/names-inside.ts'
import { printManifest } from '../print-manifest.ts'

/** Three processes, and what is said of each. */
const file = (web: string, api: string, db: string, networks = '{ front: , back: , mid: }') => `services:
  web: { image: x, ${web} }
  api: { image: x, ${api} }
  db: { image: x, ${db} }
networks: ${networks}
`

const apart = ['networks: [front]', 'networks: [front, back]', 'networks: [back]'] as const

const typesOf = (text: string) => {
  const { manifest, problems } = readCompose(text)
  assert.ok(manifest, problems.join('\n'))
  return manifest.processes
}

const reachOf = (text: string) =>
  typesOf(text).map((type, _, types) =>
    namesInside(type, types)
      .peers.map((peer) => peer.type)
      .join(),
  )

test('processes that share no network are kept apart', () => {
  assert.deepEqual(reachOf(file(...apart)), ['web,api', 'web,api,db', 'api,db'])
  assert.deepEqual(readCompose(file(...apart)).problems, [])
})

test('where all share a network with each other, or say nothing, nobody is kept apart', () => {
  for (const text of [
    file('networks: [mid, front]', 'networks: [mid]', 'networks: [mid, back]'),
    file('networks: [front, back]', 'networks: [back, mid]', 'networks: [mid, front]'),
    file('command: a', 'command: b', 'networks: [default, back]', '{ back: { internal: true } }'),
  ]) {
    const { manifest } = readCompose(text)
    assert.deepEqual(
      [manifest?.networks, manifest?.processes.map(({ isolation }) => isolation)],
      [undefined, [undefined, undefined, undefined]],
    )
  }
})

test('a process on internal networks alone has no way out, and no port outside', () => {
  const networks = '{ front: , back: { internal: true } }'
  const db = 'networks: [back], ports: ["80:3000", "127.0.0.1:5432:5432", "6000"]'
  const text = file(apart[0], apart[1], db, networks)
  assert.deepEqual(
    typesOf(text).map(({ isolation }) => isolation?.isEnclosed),
    [false, false, true],
  )
  assert.deepEqual(
    typesOf(text)[2]?.ports.map(({ external, container, isLocal }) => [external, container, isLocal]),
    [
      [null, 3000, undefined],
      [null, 5432, undefined],
      [null, 6000, undefined],
    ],
  )
  const [first, second, ...more] = readCompose(text).problems
  assert.match(
    first ?? '',
    /^4:45: warning: services\.db\.ports\[0\]: the port 80 of "db" is reached inside the app alone: .*; put it on/,
  )
  assert.match(second ?? '', /the port 5432 of "db"/)
  assert.deepEqual(more, [])
})

test('a file with one network that is internal keeps all in', () => {
  const text =
    'services: { web: { image: x }, db: { image: x } }\nnetworks: { default: { internal: true } }\n'
  assert.deepEqual(reachOf(text), ['web,db', 'web,db'])
  assert.ok(typesOf(text).every(({ isolation }) => isolation?.isEnclosed))
})

test('an alias is a name on its network alone, and may be another one elsewhere', () => {
  const text = file(
    'networks: { front: { aliases: [store] } }',
    'networks: [front, mid]',
    'networks: { back: { aliases: [store] } }, container_name: shop-db',
    '{ front: , back: , mid: }',
  )
  const [web, api, db] = typesOf(text).map((type, _, types) => namesInside(type, types))
  assert.deepEqual(web?.peers, [
    { type: 'web', names: ['web', 'store'] },
    { type: 'api', names: ['api'] },
  ])
  assert.deepEqual(api?.peers[0]?.names, ['web', 'store'])
  assert.deepEqual(db?.peers, [{ type: 'db', names: ['db', 'shop-db', 'store'] }])
  assert.deepEqual(
    [web?.aliases, db?.aliases],
    [['web'], ['db', 'shop-db']],
    'what all of them know, and leads to no other',
  )
  const both = text.replace('[front, mid]', '[front, back]')
  assert.match(readCompose(both).problems.join(), /the host name "store" would lead to "web" and to "db"/)
})

test('a link to who cannot be reached is an error, and a start after it a word', () => {
  const hint = 'put "web" and "db" on one network, or remove it'
  assert.deepEqual(
    readCompose(file(`${apart[0]}, depends_on: [db], links: [api]`, apart[1], apart[2])).problems,
    [
      `2:52: warning: services.web.depends_on[0]: "web" starts after "db", and does not reach it: they share no network; ${hint}`,
    ],
  )
  assert.deepEqual(readCompose(file(`${apart[0]}, links: ["db:store"]`, apart[1], apart[2])).problems, [
    `2:47: error: services.web.links[0]: the link leads nowhere: "db" is on no network of "web"; ${hint}`,
  ])
  const job = `${apart[0]}, depends_on: { db: { condition: service_completed_successfully } }`
  assert.deepEqual(
    readCompose(file(job, apart[1], apart[2])).problems,
    [],
    'its end is all that is waited for',
  )
})

test('who may speak under the address of another is told of', () => {
  const [problem, ...more] = readCompose(file(apart[0], apart[1], `${apart[2]}, cap_add: [NET_RAW]`)).problems
  assert.match(
    problem ?? '',
    /^4:3: warning: services\.db: "db" may speak under the address of another process/,
  )
  assert.deepEqual(more, [])
  assert.deepEqual(readCompose(file('cap_add: [NET_RAW]', 'init: true', 'init: true', '{}')).problems, [])
})

test('what would be a way round is left out, and said to be', () => {
  const sysctls = 'sysctls: { net.ipv6.conf.all.disable_ipv6: 0, net.core.somaxconn: 1024 }'
  const text = file(
    `${apart[0]}, ${sysctls}`,
    apart[1],
    `${apart[2]}, dns: 192.0.2.53`,
    '{ front: , back: { internal: true } }',
  )
  const [sysctl, dns, ...more] = readCompose(text).problems
  assert.match(
    sysctl ?? '',
    /^2:3: warning: .*the kernel parameter net\.ipv6\.conf\.all\.disable_ipv6 of "web" is left out/,
  )
  assert.match(dns ?? '', /^4:3: warning: .*the name servers of "db" are left out/)
  assert.deepEqual(more, [])
})

test('the number of networks is bounded', () => {
  const names = Array.from({ length: 33 }, (_, at) => `n${at}`)
  const of = (count: number) =>
    readCompose(
      `services:\n${names
        .slice(0, count)
        .map((name) => `  ${name}: { image: x, networks: [${name}] }\n`)
        .join('')}networks: { ${names.map((name) => `${name}: `).join(', ')} }\n`,
    ).problems
  assert.deepEqual(of(32), [])
  assert.deepEqual(of(33), [
    '34:31: error: services.n32.networks[0]: the processes of an app are on 32 networks at most; let processes share a network',
  ])
})

test('what is printed reads as the same', () => {
  const text = file(
    'networks: { front: { aliases: [www] } }, container_name: shop-web',
    apart[1],
    `${apart[2]}, ports: ["5432:5432"]`,
    '{ front: , back: { internal: true } }',
  )
  const { manifest } = readCompose(text)
  assert.ok(manifest)
  const again = readCompose(printManifest(manifest))
  assert.deepEqual([again.problems, again.manifest], [[], manifest])
})
