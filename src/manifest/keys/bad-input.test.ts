import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose, readWeb } from '../../../test/support/compose.ts'

/** Each is wrong in one way, and what is said names it. */
test('a NUL byte is refused where it is written, and in a file of variables', () => {
  const table: [service: string, place: RegExp][] = [
    ['{ image: x, environment: { A: "a\\0b" } }', /^2:38: error: services\.web\.environment\.A: /],
    ['{ image: x, environment: ["A=a\\0b"] }', /^2:34: error: services\.web\.environment\[0\]: /],
    ['{ image: x, environment: { "A\\0": b } }', /^2:35: error: services\.web\.environment: /],
    ['{ image: x, labels: { team: "a\\0b" } }', /services\.web\.labels\.team: /],
    ['{ image: x, command: "a\\0b" }', /services\.web\.command: /],
    ['{ image: x, command: [sh, -c, "a\\0b"] }', /services\.web\.command\[2\]: /],
    ['{ image: x, entrypoint: ["a\\x00b"] }', /services\.web\.entrypoint\[0\]: /],
    ['{ image: x, healthcheck: { test: "a\\u0000b" } }', /services\.web\.healthcheck\.test: /],
    ['{ image: x, hostname: "a\\0b" }', /services\.web\.hostname: /],
    ['{ image: x, user: "a\\0b" }', /services\.web\.user: /],
    ['{ build: { context: ., args: { A: "a\\0b" } } }', /services\.web\.build\.args\.A: /],
  ]
  for (const [service, place] of table) {
    const { problems } = readCompose(`services:\n  web: ${service}\n`)
    assert.match(problems.join('\n'), place, service)
    assert.match(problems.join('\n'), /a text cannot hold a NUL byte \(`\\0`\); remove it/, service)
  }
  const anchored =
    'x-a: &a { A: "a\\0b" }\nservices:\n  web: { image: x, environment: *a }\n  db: { image: x, environment: *a }\n'
  assert.equal(readCompose(anchored).problems.filter((problem) => problem.includes('NUL')).length, 1)
  const files = 'services:\n  web: { image: x, env_file: a.env, environment: { B: "${B}" } }\n'
  const { problems } = readCompose(files, {}, { texts: { 'a.env': 'X=1\nA=a\0b\n' }, dotenv: 'B="a\0b"\n' })
  assert.deepEqual(problems, [
    '.env:1:1: error: a value cannot hold a NUL byte',
    'a.env:2:1: error: services.web.env_file: a value cannot hold a NUL byte',
  ])
  const bytes = 'services:\n  web: { image: x, configs: [b] }\nconfigs: { b: { content: "a\\0b" } }\n'
  assert.deepEqual(readCompose(bytes).problems, [])
})

test('a process that cannot be as it is written', () => {
  const table: [keys: string, problem: RegExp][] = [
    ['ports: [0]', /"0" is not a port from 1 to 65535/],
    ['ports: ["0:80"]', /not a port from 1 to 65535/],
    ['ports: [99999]', /"99999" is not a port from 1 to 65535/],
    ['ports: ["80:99999"]', /not a port from 1 to 65535/],
    ['ports: [-80]', /"-80" is not a port; write/],
    ['ports: [80.5]', /"80.5" is not a port/],
    ['ports: ["9000-8000:80"]', /the range "9000-8000:80" runs backwards; name the lower port first/],
    ['ports: ["8000-8005:8000-8005", "8003-8010:9003-9010"]', /the port 8003 leads to 8003 and to 9003/],
    ['ports: ["80:1", "80:2"]', /the port 80 leads to 1 and to 2; keep one/],
    ['ports: [{ target: 0 }]', /not a port from 1/],
    ['ports: [{ target: 80, published: 70000 }]', /not a port from 1/],
    ['expose: [0]', /not a port from 1/],
    ['ports: { 80: 80 }', /expected a list, but found a mapping; write each item on a line of its own/],
    ['environment: A=1', /expected a mapping, but found "A=1"; write each entry on a line of its own/],
    ['user: [a]', /expected text, but found a list; write one value/],
    ['init: maybe', /"maybe" is neither true nor false; write true or false/],
    ['tmpfs: tmp', /absolute path below \/; write where in the container/],
    ['links: [nothing]', /there is no process "nothing"/],
    ['links: [web]', /links to itself; remove the link/],
    ['depends_on: [web]', /depends on itself/],
    ['mem_limit: 1k', /"1k" is less memory than a container can have; use "6m" or more/],
    ['mem_limit: -5m', /"-5m" is negative/],
    ['cpus: -1', /"-1" is negative; write 0.5/],
    ['scale: -1', /"-1" is not a whole number from 0/],
    ['deploy: { replicas: -1 }', /not a whole number from 0 to 10000/],
    ['deploy: { replicas: 1.5 }', /"1.5" is not a whole number/],
    ['deploy: { update_config: { parallelism: -1 } }', /not a whole number from 0/],
    ['stop_grace_period: -5s', /"-5s" is not a duration/],
    ['labels: [rack.deployment.minimum=101]', /whole number from 0 to 100 \(percent\), but is "101"/],
    ['labels: [rack.deployment.maximum=99]', /whole number from 100 to 400 \(percent\)/],
    ['env_file: gone.env', /4:15: error: .*the file "gone.env" does not exist; add `required: false`/],
    ['env_file: ../x.env', /outside of the source directory/],
    ['env_file: /etc/x.env', /outside of the source directory/],
    ['label_file: ../x', /outside of the source directory/],
    ['build: ../x', /outside of the source directory/],
    ['build: { context: ., dockerfile: ../D }', /outside of the build context/],
    ['build: { dockerfile_inline: FROM x, dockerfile: D }', /both given; keep one/],
    ['build: { dockerfile_inline: " " }', /`dockerfile_inline` is empty/],
    ['build: { network: host }', /the network "host" is refused: a build joins no network of the machine/],
    ['build: { privileged: true }', /"privileged" is refused: a build gets no privileges/],
    ['deploy: many', /expected a mapping, but found "many"/],
    ['deploy: { resources: [cpus] }', /deploy.resources: expected a mapping, but found a list/],
    ['deploy: { resources: { limits: 5 } }', /limits: expected a mapping/],
    ['deploy: { update_config: 1 }', /update_config: expected a mapping/],
    ['logging: syslog', /logging: expected a mapping/],
    ['networks: { default: x }', /networks.default: expected a mapping/],
    ['depends_on: { web: x }', /depends_on.web: expected a mapping/],
    ['depends_on: { db: service_healthy }', /line of its own; write `condition: service_healthy` under the/],
    ['depends_on: [{ db: { condition: x } }]', /found a mapping; write the name alone, or `NAME:` without/],
    ['command: npm start; echo', /"start;" needs a shell/],
    ['healthcheck: curl x', /found "curl x"; write `test:` with the check under it/],
    ['extends: base.yml', /no process "base.yml" in .*; write `extends: { file: FILE, service: NAME }`/],
    ['command: "${A', /^[^\n]*$/],
    [
      'stop_signal: "${A:?say}"',
      /^4:18: error: services.web.stop_signal: the variable A is required: say; [^\n]*$/,
    ],
    ['volumes: [{ type: tmpfs, target: /x, tmpfs: 1m }]', /tmpfs: expected a mapping/],
    ['container_name: "a b"', /"a b" is not a host name/],
    [`container_name: ${'a'.repeat(64)}`, /is not a host name/],
  ]
  for (const [keys, pattern] of table) assert.match(readWeb(keys).problems.join('\n'), pattern, keys)
})

test('a file whose processes do not fit together', () => {
  const table: [text: string, problem: RegExp][] = [
    ['services:\n', /2:1: error: services: `services` names no process|`services` names no process/],
    ['services: null\n', /`services` names no process/],
    ['services: [web]\n', /`services` must be a mapping of processes/],
    ['services: { web: }\n', /the process "web" must be a mapping, but is nothing/],
    ['services: { web: { user: x } }\n', /has neither `image` nor `build`; write `build: .`/],
    [
      'services: { foo_bar: { image: x }, foo-bar: { image: x } }\n',
      /"foo-bar" and "foo_bar" would be one process: the rack calls both "foo-bar".*; rename one of "foo-bar" and "foo_bar"/,
    ],
    ['services: { Web: { image: x }, web: { image: x } }\n', /"web" and "Web" would be one process/],
    [`services: { ${'a'.repeat(32)}: { image: x } }\n`, /cannot be the name of a process: use 1 to 31/],
    [
      'services: { a: { image: x, links: ["b:foo_bar", "c:foo-bar"] }, b: { image: x }, c: { image: x } }\n',
      /two links would set the same variables: "FOO_BAR_URL"/,
    ],
    [
      'services: { a: { image: x, links: [b] }, b: { image: x, links: [c] }, c: { image: x, links: [a] } }\n',
      /no process of this cycle can start first: a → b → c → a/,
    ],
    [
      'services: { a: { image: x, ports: ["25:1"] }, b: { image: x, ports: ["20-30:20-30"] } }\n',
      /the port 25 is already opened by "a"; choose another/,
    ],
    ['services: { a: { image: x } }\nvolumes: { a: 5 }\n', /volumes.a: expected a mapping, but found "5"/],
    ['services: { a: { image: x } }\nvolumes: { "a b": }\n', /cannot be the name of a volume/],
    ['services: { a: { image: x } }\nsecrets: { "a/b": }\n', /cannot be the name of a secret/],
    [
      'services: { a: { image: x } }\nnetworks: { lan: { driver: macvlan } }\n',
      /"driver" is refused: the network of an app is made by the rack/,
    ],
    [
      'services: { a: { image: x } }\nnetworks: { default: { external: true } }\n',
      /the network "default" is of others, and an app joins none/,
    ],
    ['services: { a: { image: x } }\nsecrets: [a]\n', /expected a mapping, but found a list/],
  ]
  for (const [text, pattern] of table) assert.match(readCompose(text).problems.join('\n'), pattern, text)
})

test('numbers that YAML reads oddly are read as Compose reads them, and said to be', () => {
  const environment: [written: string, value: string | null, warning?: RegExp][] = [
    ['010', '8', /010 is read as the number 8; quote it: "010"/],
    ['0o17', '15', /is read as the number 15/],
    ['0x1F', '31', /is read as the number 31/],
    ['0b11', '3', /is read as the number 3/],
    ['1_000', '1000', /is read as the number 1000/],
    ['08', '8', /is read as the number 8/],
    ['1.10', '1.1', /is read as the number 1.1/],
    ['.5', '0.5', /is read as the number 0.5/],
    ['1e3', '1000', /is read as the number 1000/],
    ['1e6', '1e+06', /is read as the number 1e\+06/],
    ['1234567.5', '1.2345675e+06', /1.2345675e\+06/],
    ['+5', '5', /is read as the number 5/],
    ['.inf', '+Inf', /is read as the number \+Inf/],
    ['True', 'true', /True is read as true; quote it/],
    ['~', null, /~ is read as no value; quote it/],
    ['null', null, /null is read as no value/],
    ['2024-01-01', '2024-01-01', /2024-01-01 is a date, which Compose writes in another form; quote it/],
    ['12345678901234567890', '12345678901234567890'],
    ['22:22', '22:22'],
    ['yes', 'yes'],
    ['off', 'off'],
    ['true', 'true'],
    ['1.1', '1.1'],
    ['0', '0'],
    ['-7', '-7'],
    ['"010"', '010'],
    ["'1.10'", '1.10'],
    ['', null],
  ]
  for (const [written, value, warning] of environment) {
    const { web, problems } = readWeb(`environment:\n  A: ${written}`)
    assert.deepEqual(web.environment, [{ name: 'A', value }], written)
    if (warning) assert.match(problems.join('\n'), warning, written)
    else assert.deepEqual(problems, [], written)
  }
  const keys: [keys: string, read: (web: ReturnType<typeof readWeb>['web']) => unknown, value: unknown][] = [
    ['deploy: { replicas: 010 }', ({ formation }) => formation.count, 8],
    ['scale: 1e1', ({ formation }) => formation.count, 10],
    ['mem_limit: 1e9', ({ formation }) => formation.memoryBytes, 1e9],
    ['cpus: 1e-1', ({ formation }) => formation.cpuUnits, 102],
    ['ports: [0100]', ({ ports }) => ports[0]?.container, 64],
    ['ports: [22:22]', ({ ports }) => ports[0]?.external, 22],
    ['expose: [0100]', ({ expose }) => expose[0], 64],
    ['init: yes', ({ init }) => init, true],
    ['tty: off', ({ container }) => container.tty, false],
    ['stop_grace_period: 90', ({ stopGraceMs }) => stopGraceMs, 90_000],
  ]
  for (const [written, read, value] of keys) {
    const { web, problems } = readWeb(written)
    assert.equal(read(web), value, written)
    assert.match(problems.join('\n'), /^\d+:\d+: warning: /, written)
    assert.equal(problems.length, 1, written)
  }
  assert.equal(readWeb('deploy: { replicas: "010" }').web.formation.count, 10)
})
