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

test('networks that keep processes apart are told of once', () => {
  const file = (web: string, db: string) =>
    readCompose(`services:
  web: { image: x, networks: ${web} }
  db: { image: x, networks: ${db} }
  third: { image: x, networks: [front] }
networks: { front: , back: { driver: bridge, ipam: { config: [] } } }
`).problems
  assert.deepEqual(file('[front, back]', '[back, front]'), [])
  assert.deepEqual(file('[front]', '[back]'), [
    '3:30: warning: services.db.networks[0]: "web" and "db" are on different networks in the file, but all processes of an app share one',
  ])
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
