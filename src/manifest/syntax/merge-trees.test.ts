import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildSpec } from '../../../test/support/build-spec.ts'
import { readCompose } from '../../../test/support/compose.ts'
import { mergeTrees, withoutResets } from './merge-trees.ts'
import type { MapNode, MergeTag, Node, ScalarNode } from './tree.ts'

const base = `services:
  web:
    image: nginx
    build: .
    command: one
    environment: [A=1, B=2]
    ports: ["80:5000", "81:5001"]
    volumes: ["data:/data", "data:/old"]
    depends_on: [redis]
    labels: { a: "1" }
    env_file: one.env
  redis:
    image: redis
volumes: { data: , more: }
`

function merged(over: string) {
  const files = [
    { path: 'a.yml', text: base },
    { path: 'b.yml', text: over },
  ]
  const { processes, problems } = readCompose(
    '',
    {},
    { files, texts: { 'one.env': 'E=1', 'two.env': 'E=2' } },
  )
  return { web: processes[0]!, problems, names: processes.map(({ name }) => name) }
}

test('a later file is laid over an earlier one: mappings deeply, lists by what they name', () => {
  const { web, names, problems } = merged(`services:
  web:
    build: { target: prod }
    command: two
    environment: { B: 3, C: 4 }
    ports: ["82:5000", "80:5000"]
    volumes: ["more:/data"]
    depends_on: { redis: { condition: service_healthy } }
    labels: [b=2]
    env_file: two.env
  worker:
    image: nginx
`)
  assert.deepEqual(problems, [])
  assert.deepEqual(names, ['web', 'redis', 'worker'])
  assert.deepEqual(web.build, buildSpec({ target: 'prod' }))
  assert.deepEqual(web.command, ['two'])
  assert.deepEqual(
    web.environment.map(({ name, value }) => `${name}=${value}`),
    ['A=1', 'B=3', 'C=4', 'E=2'],
  )
  assert.deepEqual(
    web.ports.map(({ external }) => external),
    [80, 81, 82],
  )
  assert.deepEqual(
    web.mounts.map((mount) => `${mount.kind === 'volume' ? mount.volume : mount.kind}:${mount.path}`),
    ['more:/data', 'data:/old'],
  )
  assert.deepEqual(web.dependsOn, [{ target: 'redis', condition: 'healthy', restart: false }])
  assert.deepEqual(web.labels, { a: '1', b: '2' })
})

test('!reset takes away, !override replaces', () => {
  const { web, problems } = merged(`services:
  web:
    command: !reset null
    depends_on: !reset []
    ports: !override ["25:5000"]
`)
  assert.deepEqual(problems, [])
  assert.equal(web.command, null)
  assert.deepEqual(web.dependsOn, [])
  assert.deepEqual(
    web.ports.map(({ external }) => external),
    [25],
  )
})

test('the short form of a dependency says that it has to be started', () => {
  const text = (keys: string) => `services:\n  web: { image: x, depends_on: ${keys} }\n  db: { image: x }\n`
  const files = [
    { path: 'a.yml', text: text('{ db: { condition: service_healthy, required: false } }') },
    { path: 'b.yml', text: text('[db]') },
  ]
  const { processes, problems } = readCompose('', {}, { files })
  assert.deepEqual(problems, [])
  assert.deepEqual(processes[0]?.dependsOn, [{ target: 'db', condition: 'started', restart: false }])
})

test('problems name the file that they are in', () => {
  const { problems } = merged('services:\n  web:\n    ports: ["0:1"]\n    imag: x\n')
  assert.deepEqual(problems, [
    'b.yml:3:13: error: services.web.ports[0]: "0:1" is not a port from 1 to 65535',
    'b.yml:4:5: error: services.web.imag: unknown key "imag"; did you mean "image"?',
  ])
})

test('a !reset in the only file takes away too, and inside a new process', () => {
  const alone = readCompose('services:\n  web:\n    image: x\n    command: !reset [a]\n')
  assert.equal(alone.processes[0]?.command, null)
  const { problems } = merged('services:\n  worker:\n    image: x\n    no_such: !reset null\n')
  assert.match(problems[0] ?? '', /unknown key "no_such"/)
})

const syntaxes: Record<
  string,
  [string, string, (web: ReturnType<typeof merged>['web']) => unknown, unknown]
> = {
  'ports in both syntaxes are one where numbers and protocol are': [
    'ports: ["80:5000/tcp"]',
    'ports: [{ target: 5000, published: "80" }, { target: 5001 }]',
    ({ ports }) => ports.map(({ external, container }) => `${external}:${container}`),
    ['80:5000', 'null:5001'],
  ],
  'hosts are one by name': [
    'extra_hosts: ["a:10.0.0.1", "b=10.0.0.2"]',
    'extra_hosts: { a: 10.0.0.3 }',
    ({ extraHosts }) => extraHosts.map(({ host, address }) => `${host}=${address}`),
    ['a=10.0.0.3', 'b=10.0.0.2'],
  ],
  'a host keeps its several addresses': [
    'extra_hosts: ["a:10.0.0.1", "a=10.0.0.2"]',
    'extra_hosts: [b=10.0.0.3]',
    ({ extraHosts }) => extraHosts.map(({ host, address }) => `${host}=${address}`),
    ['a=10.0.0.1', 'a=10.0.0.2', 'b=10.0.0.3'],
  ],
  'no value replaces one: the environment of the app gives it': [
    'environment: { A: 1, B: 2, C: 3 }',
    'environment: { A: , B: }',
    ({ environment }) => environment.map(({ name, value }) => `${name}=${value}`),
    ['A=null', 'B=null', 'C=3'],
  ],
  'the same in a list': [
    'environment: { A: 1 }',
    'environment: [A]',
    ({ environment }) => environment,
    [{ name: 'A', value: null }],
  ],
  'no command is that of the image': ['command: [a]', 'command:', ({ command }) => command, null],
  'a limit of two numbers is merged': [
    'ulimits: { nofile: { soft: 1, hard: 20 }, nproc: 5 }',
    'ulimits: { nofile: { soft: 3 }, nproc: { soft: 1, hard: 2 } }',
    ({ container }) => container.ulimits,
    [
      { name: 'nofile', soft: 3, hard: 20 },
      { name: 'nproc', soft: 1, hard: 2 },
    ],
  ],
  'arguments of a build are one by name': [
    'build: { context: ., args: [A=1, B=2] }',
    'build: { args: { B: 3 } }',
    ({ build }) => build?.args,
    { A: '1', B: '3' },
  ],
  'a check is replaced, its times stay': [
    'healthcheck: { test: [CMD, one, two], interval: 5s }',
    'healthcheck: { test: three }',
    ({ healthcheck }) => [healthcheck?.test, healthcheck?.intervalMs],
    [['CMD-SHELL', 'three'], 5000],
  ],
  'a mount is one by its path': [
    'tmpfs: /run',
    'tmpfs: ["/run:mode=1777", /tmp]',
    ({ mounts }) => mounts.map(({ path }) => path),
    ['/run', '/tmp'],
  ],
  'a slash at the end makes no other path': [
    'volumes: [{ type: tmpfs, target: /run/, read_only: true }]',
    'volumes: [{ type: tmpfs, target: /run }]',
    ({ mounts }) => mounts.map(({ path, readOnly }) => `${path} ${readOnly}`),
    ['/run false'],
  ],
}

for (const [name, [one, two, pick, expected]] of Object.entries(syntaxes)) {
  test(`merging: ${name}`, () => {
    const file = (path: string, line: string) => ({
      path,
      text: `services:\n  web:\n    image: x\n    ${line}\n`,
    })
    const { processes, problems } = readCompose('', {}, { files: [file('a.yml', one), file('b.yml', two)] })
    assert.deepEqual(problems, [])
    assert.deepEqual(pick(processes[0]!), expected)
  })
}

const place = { path: '', position: { file: 'x', line: 1, column: 1 } }
const tag = fc.option(fc.constantFrom<MergeTag>('!reset', '!override'), { nil: undefined, freq: 4 })
const tagged = <T extends Node>(node: T, given: MergeTag | undefined): T =>
  given ? { ...node, tag: given } : node
const scalarNode = (value: string | null): ScalarNode => ({
  ...place,
  kind: 'scalar',
  value,
  source: value ?? '',
  isQuoted: true,
})
const scalar = fc
  .option(fc.constantFrom('a', 'b', 'A=1', 'A=2', '80:80', '/x'), { nil: null, freq: 5 })
  .map(scalarNode)
const { tree } = fc.letrec<{ tree: Node }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(scalar, tag).map(([node, given]) => tagged(node, given)),
    fc
      .tuple(fc.array(scalar, { maxLength: 3 }), tag)
      .map(([items, given]) => tagged({ ...place, kind: 'list' as const, items }, given)),
    fc
      .tuple(
        fc.uniqueArray(
          fc.tuple(
            fc.constantFrom('a', 'b', 'environment', 'ports', 'command', 'build', 'depends_on'),
            tie('tree'),
          ),
          { maxLength: 4, selector: ([name]) => name },
        ),
        tag,
      )
      .map(([pairs, given]) => tagged(mapOf(pairs), given)),
  ),
}))

function mapOf(pairs: [string, Node][]): MapNode {
  return {
    ...place,
    kind: 'map',
    entries: new Map(pairs.map(([name, value]) => [name, { key: place, value }])),
  }
}

/** A file with one process. */
const file = fc
  .array(fc.tuple(fc.constantFrom('environment', 'ports', 'command', 'build', 'depends_on', 'other'), tree), {
    maxLength: 4,
  })
  .map((pairs) => mapOf([['services', mapOf([['web', mapOf(pairs)]])]]))

/** The values alone. */
function plain(node: Node): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  const names = [...node.entries.keys()].sort((a, b) => (a < b ? -1 : 1))
  return names.map((name) => [name, plain(node.entries.get(name)!.value)])
}

test('a key without a value changes nothing of what a later file says, after a reset neither', () => {
  const saying = (value: Node) => mapOf([['services', mapOf([['web', mapOf([['depends_on', value]])]])]])
  const files = [
    saying({ ...mapOf([]), tag: '!reset' }),
    saying(scalarNode(null)),
    saying({ ...place, kind: 'list', items: [scalarNode(null)] }),
  ] as const
  const [reset, nothing, list] = files
  const both = [
    mergeTrees([mergeTrees([reset, nothing]), list]),
    mergeTrees([reset, mergeTrees([nothing, list])]),
  ]
  for (const merged of both) assert.deepEqual(plain(withoutResets(merged)), plain(list))
})

test('files may be merged in any grouping', () => {
  const result = (roots: MapNode[]) => plain(withoutResets(mergeTrees(roots)))
  const build = (value: Node) => mapOf([['services', mapOf([['web', mapOf([['build', value]])]])]])
  const list = (items: Node[]): Node => ({ ...place, kind: 'list', items })
  const files = [build(list([scalarNode('x')])), build(mapOf([])), build(list([]))] as const
  const [first, second, third] = files
  assert.deepEqual(result([mergeTrees([first, second]), third]), result([first, mergeTrees([second, third])]))
  fc.assert(
    fc.property(file, file, file, (a, b, c) => {
      assert.deepEqual(result([mergeTrees([a, b]), c]), result([a, mergeTrees([b, c])]))
    }),
    { numRuns: 3000 },
  )
})
