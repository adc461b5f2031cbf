import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../test/support/compose.ts'

function problemsOf(lines: string): string {
  return readCompose(`services:\n${lines}`).problems.join('\n')
}

test('container names and aliases are host names inside the app', () => {
  const { processes, problems } = readCompose(`services:
  web: { image: x, container_name: shop-web, networks: { default: { aliases: [www, web, shop.example] } } }
  db: { image: x, networks: [default], links: ["web:frontend"] }
`)
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes.map(({ hostNames }) => hostNames),
    [['shop-web', 'www', 'shop.example'], []],
  )
})

test('a host name leads to one process', () => {
  const table: [lines: string, problem: RegExp][] = [
    [
      '  a: { image: x, container_name: b }\n  b: { image: x }\n',
      /^2:34: error: services.a.container_name: "b" is the name of another process/,
    ],
    [
      '  a: { image: x, networks: { default: { aliases: [B] } } }\n  b: { image: x }\n',
      /"B" is the name of another process/,
    ],
    [
      '  a: { image: x, container_name: n }\n  b: { image: x, container_name: N }\n',
      /^3:34: error: .*the host name "N" would lead to "a" and to "b"/,
    ],
    [
      '  a: { image: x, links: ["c:db"] }\n  b: { image: x, links: ["d:db"] }\n  c: { image: x }\n  d: { image: x }\n',
      /^3:26: error: services.b.links\[0\]: the host name "db" would lead to "c" and to "d"/,
    ],
    [
      '  a: { image: x, links: ["c:db"] }\n  b: { image: x, container_name: db }\n  c: { image: x }\n',
      /the host name "db" would lead to "b" and to "c"/,
    ],
  ]
  for (const [lines, pattern] of table) assert.match(problemsOf(lines), pattern, lines)
  const same =
    '  a: { image: x, links: ["c:db"] }\n  b: { image: x, links: ["c:db"] }\n  c: { image: x, container_name: db }\n'
  assert.equal(problemsOf(same), '')
})

test('networks of a process are declared, in both forms', () => {
  const file = (web: string, db: string) =>
    readCompose(`services:
  web: { image: x, networks: ${web} }
  db: { image: x, networks: ${db} }
  third: { image: x, networks: [front] }
networks: { front: , back: { driver: bridge, ipam: { config: [] } } }
`).problems
  assert.deepEqual(file('[front, back]', '[back, front]'), [])
  assert.deepEqual(file('[front]', '[back]'), [])
  assert.match(
    file('{ fornt: }', '[front]').join(),
    /the network "fornt" is not declared; did you mean "front"/,
  )
  assert.match(file('[front, default]', 'front').join(), /expected a list, but found "front"/)
})

test('cycles are named in full; of very many the last by a process alone', () => {
  const pair = (index: number) =>
    `  a${index}: { image: x, links: [b${index}] }\n  b${index}: { image: x, links: [a${index}] }\n`
  const problems = problemsOf(Array.from({ length: 21 }, (_, index) => pair(index)).join(''))
  assert.match(problems, /cycle can start first: a19 → b19 → a19;/)
  assert.match(problems, /cycle can start first: a20;/)
})

test('a name of an image stands for one build', () => {
  const two = '  a: { build: a, image: app }\n  b: { build: b, image: app }\n'
  assert.equal(problemsOf(two), '')
  assert.match(
    problemsOf(`${two}  c: { image: app }\n`),
    /^4:15: error: services.c.image: the image "app" is built in several ways in this file; give each/,
  )
  assert.match(problemsOf(`${two}  c: { image: "app:latest" }\n`), /"app:latest" is built in several ways/)
  assert.equal(problemsOf(`${two}  c: { image: other }\n`), '')
  assert.equal(
    problemsOf('  a: { build: ., image: app }\n  b: { build: ., image: app }\n  c: { image: app }\n'),
    '',
  )
})

test('a value for PORT that the rack overrides is told', () => {
  const port = (keys: string) => readCompose(`services: { web: { image: x, ${keys} } }`).problems.join('\n')
  assert.match(
    port('ports: ["80:8000"], environment: { PORT: 3000 }'),
    /warning: .*PORT is set by the rack to 8000, the first port of the process; this value is never seen/,
  )
  for (const keys of [
    'ports: ["80:3000"], environment: { PORT: 3000 }',
    'environment: { PORT: 3000 }',
    'ports: ["80:3000"], environment: [PORT]',
  ])
    assert.equal(port(keys), '', keys)
})

test('a path that nobody asks once a copy serves is told, where no check of the file goes on', () => {
  const web = (more: string) =>
    problemsOf(`  web: { image: x, labels: { rack.health.path: /up }${more} }\n`).split('\n')[0]
  assert.match(web(', expose: [80], ports: ["9000"]')!, /\/up is asked while a copy starts and no more/)
  assert.equal(web(', ports: ["80:9000"]'), '')
  assert.equal(web(', ports: ["9000"], healthcheck: { test: "true" }'), '')
})

test('a fixed address is only an error where somebody is told to use it', () => {
  const file = (environment: string) => `services:
  db: { image: x, networks: { lan: { ipv4_address: 10.9.0.5 } } }
  web: { image: x, networks: [lan], environment: { DB: "${environment}" } }
networks: { lan: { ipam: { config: [{ subnet: 10.9.0.0/24 }] } } }
`
  for (const elsewhere of ['db:5432', '10.9.0.55', '110.9.0.5'])
    assert.match(
      readCompose(file(elsewhere)).problems.join('\n'),
      /^2:.* warning: .*10.9.0.5 is not the address that "db" has: .* by the rack; reach it by its name: "db"$/,
    )
  for (const there of ['10.9.0.5', 'tcp://10.9.0.5:5432/x', '10.9.0.55,10.9.0.5'])
    assert.match(
      readCompose(file(there)).problems.join('\n'),
      /error: .*and "web" is told to use it; write "db"/,
    )
})

test('ports that may be web pages and have no name are told of, once a process, with the two ways', () => {
  const told = (ports: string, labels = '{}') =>
    readCompose(`services: { web: { image: x, ports: [${ports}], labels: ${labels} } }`).problems
  for (const ports of [
    '"8080:80"',
    '"3000:3000", "9229:9229"',
    '"5432:5432", "8025:8025"',
    '{ target: 80, published: 8080 }',
  ]) {
    const problems = told(ports)
    assert.equal(problems.length, 1, ports)
    assert.match(
      problems[0] ?? '',
      /warning: .*is tcp without a host name.*write "80:\d+", or the label rack\.port\.\d+\.protocol=http/,
    )
  }
  for (const ports of [
    '"80:3000", "9229:9229"',
    '"5432:5432"',
    '"16379:6379"',
    '"127.0.0.1:8080:80"',
    '3000',
    '"8443:8443"',
  ])
    assert.deepEqual(told(ports), [], ports)
  for (const word of ['tcp', 'http'])
    assert.deepEqual(told('"8080:80"', `{ rack.port.8080.protocol: ${word} }`), [], word)
})
