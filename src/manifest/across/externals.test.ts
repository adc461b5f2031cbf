import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../test/support/compose.ts'
import { strictPolicy } from '../../domain/policy.ts'

const volume = (declaration: string) => `services:
  db: { image: x, volumes: ["data:/data"] }
volumes: { data: ${declaration} }
`

test('a volume that no app made needs a word of the policy, and keeps its name', () => {
  for (const [declaration, name] of [
    ['{ external: true, name: old_data }', 'old_data'],
    ['{ external: true }', 'data'],
    ['{ external: { name: old_data } }', 'old_data'],
  ] as const) {
    const file = volume(declaration)
    const { problems } = readCompose(file)
    assert.equal(problems.length, 1, declaration)
    assert.match(
      problems[0] ?? '',
      new RegExp(`error: .*"${name}" is not the app's own.*--allow-volume ${name}`),
    )
    const policy = { ...strictPolicy, volumes: [name] }
    const allowed = readCompose(file, {}, { policy })
    assert.deepEqual(allowed.problems, [])
    assert.deepEqual(allowed.processes[0]?.mounts, [
      { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false, external: name },
    ])
    assert.deepEqual(allowed.volumes, [], 'it is none of the app')
  }
  assert.deepEqual(readCompose(volume('{ external: false, name: mine }')).volumes, ['data'])
  assert.deepEqual(
    readCompose(`${volume('')}\n`.replace('{ data:', '{ data:, other: { external: true }')).problems,
    [],
  )
})

const network = (name: string, more = '') => `services:
  web: { image: x, networks: [out]${more} }
networks: { out: { external: true, name: ${name} } }
`

test('a network of others is left out where it leads their proxy to the app, else refused', () => {
  const traefik = ', labels: { traefik.http.routers.web.rule: "Host(`shop.example.com`)" }'
  for (const file of [network('traefik_default'), network('my-proxy'), network('shared', traefik)]) {
    const { problems, processes } = readCompose(file)
    assert.equal(processes.length, 1, file)
    assert.match(
      problems.join('\n'),
      /warning: .*of others becomes one of the app: .*write `ports: \["80:PORT"\]`/,
    )
  }
  assert.match(
    readCompose(network('shared')).problems.join('\n'),
    /error: .*the network "shared" is of others.*; remove `external`; name the address/,
  )
  const unused = 'services: { web: { image: x } }\nnetworks: { out: { external: true } }\n'
  assert.deepEqual(readCompose(unused).problems, [])
  const everybody =
    'services: { web: { image: x } }\nnetworks: { default: { external: true, name: shared } }\n'
  assert.match(readCompose(everybody).problems.join('\n'), /error: .*"shared" is of others/)
})

test('what is said to another proxy is told, with what to write for the rack', () => {
  const table: [keys: string, message: RegExp][] = [
    [
      'labels: ["traefik.http.routers.a.rule=Host(`www.shop.example.com`) || Host(`b.example.com`)", "traefik.http.services.a.loadbalancer.server.port=8000"]',
      /Traefik has no effect.*; write `ports: \["80:8000"\]`; the app "www" of a rack at shop\.example\.com is www\.shop/,
    ],
    [
      'labels: { traefik.frontend.rule: "Host:shop.example.com", traefik.port: 3000 }',
      /Traefik .*"80:3000".*the app "shop" of a rack at example\.com/,
    ],
    [
      'labels: { caddy: shop.example.com, caddy.reverse_proxy: "{{upstreams 8080}}" }',
      /Caddy .*"80:8080".*the app "shop"/,
    ],
    [
      'environment: { VIRTUAL_HOST: "shop.example.com,b.example.com", VIRTUAL_PORT: 81 }',
      /nginx-proxy .*"80:81".*"shop"/,
    ],
    [
      'expose: [9000]\nenvironment: [VIRTUAL_HOST=localhost]',
      /nginx-proxy has no effect.*; write `ports: \["80:9000"\]`$/,
    ],
    ['ports: ["80:80"]\nlabels: { caddy: ":80" }', /Caddy has no effect.*; remove it$/],
  ]
  for (const [keys, message] of table) {
    const { problems } = readCompose(
      `services:\n  web:\n    image: x\n    ${keys.replaceAll('\n', '\n    ')}\n`,
    )
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', message)
  }
  assert.deepEqual(
    readCompose('services: { web: { image: x, labels: { traefik.enable: "false" } } }').problems,
    [],
  )
})
