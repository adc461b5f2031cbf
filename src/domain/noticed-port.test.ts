import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dockerFeatures } from './docker-features.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { withNoticedPorts, type NoticedPort } from './noticed-port.ts'
import { hostsOf } from './plan.ts'

/** The types of a compose file, as a plan has them once these ports were noticed. */
function typesOf(services: string, noticed: Partial<NoticedPort>[]) {
  const text = `services:\n${services}`
  const source = { files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }
  const { manifest, problems } = readManifest(source, { environment: {}, features: dockerFeatures })
  assert.ok(manifest, JSON.stringify(problems))
  const whole = noticed.map((one) => ({ ...answered, ...one }))
  return withNoticedPorts(manifest.processes, whole)
}

const answered: NoticedPort = { process: 'site', port: 3000, build: 'B1', speaksHttp: true, isServed: false }
const site = '  site: { image: x, ports: ["3000:3000"] }\n'
const hostsIn = (types: ReturnType<typeof typesOf>) =>
  Object.fromEntries(types.map((type) => [type.name, hostsOf({ app: 'a', domain: 'd' }, type, types)]))

test('a noticed port is a web port beside the raw one', () => {
  const [type] = typesOf(site, [{}])
  assert.deepEqual(
    type?.ports.map(({ external, container, protocol }) => [external, container, protocol]),
    [
      [3000, 3000, 'tcp'],
      [80, 3000, 'http'],
    ],
  )
  assert.deepEqual(hostsIn(typesOf(site, [{}])), { site: ['a.d', 'site.a.d'] })
})

test('what the file says of the port, or another port there, ends it', () => {
  const labelled = (protocol: string) =>
    `  site: { image: x, ports: ["3000:3000"], labels: { rack.port.3000.protocol: ${protocol} } }\n`
  assert.deepEqual(hostsIn(typesOf(labelled('tcp'), [{}])), { site: [] })
  assert.equal(typesOf(labelled('http'), [{}])[0]?.ports.length, 1)
  assert.deepEqual(hostsIn(typesOf('  site: { image: x, ports: ["3000:4000"] }\n', [{}])), { site: [] })
  assert.deepEqual(hostsIn(typesOf('  site: { image: x, ports: ["5432:5432"] }\n', [{ port: 5432 }])), {
    site: [],
  })
})

test('it takes no name from a process that the file serves, whatever it is called', () => {
  const main = '  main: { image: x, ports: ["80:80"] }\n'
  assert.deepEqual(hostsIn(typesOf(main + site, [{}])), { main: ['a.d', 'main.a.d'], site: ['site.a.d'] })
  const web = '  web: { image: x, ports: ["3000:3000"] }\n'
  assert.deepEqual(hostsIn(typesOf(main + web, [{ process: 'web' }])), {
    main: ['a.d', 'main.a.d'],
    web: ['web.a.d'],
  })
})
