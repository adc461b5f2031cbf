import { dockerFeatures } from '../domain/docker-features.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Manifest, ManifestSource } from '../domain/manifest.ts'
import { readCorpus } from '../../test/support/hostile/corpus.ts'
import { printManifest } from './print-manifest.ts'
import { readManifest } from './read-manifest.ts'

function read(text: string, more: Partial<ManifestSource> = {}): Manifest {
  const source = { files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {}, ...more }
  const { manifest, problems } = readManifest(source, { environment: {}, features: dockerFeatures })
  assert.ok(manifest, JSON.stringify(problems.filter(({ severity }) => severity === 'error')))
  return manifest
}

for (const source of readCorpus().valid) {
  test(`${source.files[0]?.path} of a golden case, printed and read again, is the same`, () => {
    const options = { environment: {}, features: dockerFeatures, lenientVariables: true }
    const { manifest } = readManifest(source, options)
    const text = printManifest(manifest as Manifest)
    const again = readManifest({ ...source, files: [{ path: 'c.yml', text }] }, options)
    assert.deepEqual(again.manifest, manifest)
    assert.equal(printManifest(again.manifest as Manifest), text)
  })
}

test('every label, printed and read again, is the same', () => {
  const manifest = read(`services:
  web:
    image: x
    ports: ["80:3000", "5000:5000", "6000:6000"]
    labels:
      rack.sticky: header:X-Client
      rack.idle.timeout: 90
      rack.https.redirect: "false"
      rack.https.hsts: 86400
      rack.allow: 10.0.0.0/8,::1
      rack.auth: ann:secret,bob:other
      rack.port.5000.proxy: "true"
      rack.port.6000.secure: "true"
      rack.port.5000.protocol: http
      rack.health.port: 5000
      rack.health.threshold.healthy: 2
      rack.deployment.maximum: 150
      rack.release.command: echo $$HOME "x"
      rack.release.on: build
  cache: { image: y, labels: { rack.agent: "true" } }
  old: { image: z, ports: [3000], labels: { convox.health.timeout: 10, convox.deployment.maximum: 150 } }
`)
  assert.deepEqual(read(printManifest(manifest)), manifest)
})

test('an entrypoint that is taken away stays so', () => {
  const manifest = read('services:\n  web: { image: x, entrypoint: [], command: [] }\n')
  assert.deepEqual(manifest.processes[0]?.entrypoint, [])
  assert.deepEqual(read(printManifest(manifest)), manifest)
})

test('a canonical file is in the longest form, with nothing left to a variable', () => {
  const manifest = read(
    `services:
  web:
    build: { context: app, args: [A=1] }
    command: run "a b" $\${HOME}
    environment: [PRICE=$$5, EMPTY=, NEEDED]
    ports: [80:3000, "9000"]
    links: ["db:store"]
    depends_on: [db]
    labels: { rack.health.path: /up, rack.health.interval: 0.5, rack.health.timeout: 0.5, own: "yes" }
    volumes: [data:/d:ro]
    stop_grace_period: 1500ms
    mem_limit: 1g
    cpus: 0.5
  db:
    image: postgres
    ports: [5432]
    healthcheck: { test: pg_isready }
volumes: { data: , unused: }
`,
  )
  assert.equal(
    printManifest(manifest),
    `services:
  web:
    build:
      context: app
      args:
        A: "1"
    command:
      - run
      - a b
      - $\${HOME}
    environment:
      EMPTY: ""
      NEEDED:
      PRICE: $$5
    ports:
      - 80:3000
      - "9000"
    links:
      - db:store
    depends_on:
      db:
        condition: service_started
    labels:
      own: "yes"
      rack.health.path: /up
      rack.health.interval: "0.5"
      rack.health.timeout: "0.5"
    volumes:
      - type: volume
        source: data
        target: /d
        read_only: true
    deploy:
      replicas: 1
    cpu_shares: 512
    mem_limit: 1g
    stop_grace_period: 1500ms
  db:
    image: postgres
    ports:
      - "5432"
    healthcheck:
      test:
        - CMD-SHELL
        - pg_isready
    deploy:
      replicas: 1
    cpu_shares: 128
    mem_limit: 256m
volumes:
  data: {}
`,
  )
})
