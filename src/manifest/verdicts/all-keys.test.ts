import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readCompose } from '../../../test/support/compose.ts'
import { allKeys } from './all-keys.ts'

/** Every key of the Compose Specification and of the file formats 1, 2 and 3. */
const fixture = new URL('../../../test/golden/manifest/specification-keys.txt', import.meta.url)
const specified = readFileSync(fixture, 'utf8').trim().split('\n')

/** What lies below an ignored or refused key shares its verdict. */
function hasVerdict(path: string): boolean {
  if (Object.hasOwn(allKeys, path)) return true
  const parts = path.replaceAll('[]', '.[]').split('.')
  return parts.some((_, index) => {
    const above = parts.slice(0, index).join('.').replaceAll('.[]', '[]')
    const verdict = Object.hasOwn(allKeys, above) ? allKeys[above]?.verdict : undefined
    return verdict === 'ignored' || verdict === 'refused'
  })
}

test('every key of the specification has a verdict, and every verdict is on such a key', () => {
  assert.deepEqual(
    specified.filter((path) => !hasVerdict(path)),
    [],
  )
  const names = new Set([
    'services.*',
    'volumes.*',
    'networks.*',
    'services.*.depends_on.*',
    'services.*.networks.*',
    'services.*.ulimits.*',
    'services.*.build.ulimits.*',
    'secrets.*',
    'configs.*',
  ])
  assert.deepEqual(
    Object.keys(allKeys).filter((path) => !names.has(path) && !specified.includes(path)),
    [],
  )
})

test('a verdict gives its reason, and a refusal says what to do', () => {
  for (const [path, { verdict, why, into, instead }] of Object.entries(allKeys)) {
    assert.notEqual(why, '', path)
    if (verdict === 'refused') assert.ok(instead, path)
    if (verdict === 'translated') assert.ok(into, path)
  }
})

test('an unknown key gets the nearest name, at any depth', () => {
  const text = `services:
  web:
    image: x
    healthcheck: { test: x, retry: 3 }
    deploy: { resources: { limit: {} } }
    ports: [{ target: 80, publish: 80 }]
    networks: { a: { alias: [b] } }
volumes: { data: { drivr: local } }
`
  assert.deepEqual(
    readCompose(text)
      .problems.filter((problem) => problem.includes('unknown'))
      .map((problem) => problem.replace(/^.*unknown key /, '')),
    [
      '"retry"; did you mean "retries"?',
      '"limit"; did you mean "limits"?',
      '"publish"; did you mean "published"?',
      '"alias"; did you mean "aliases"?',
      '"drivr"; did you mean "driver"?',
    ],
  )
})

test('a refused key that asks for nothing is harmless; extensions are never looked at', () => {
  const text = `x-top: { any: [thing] }
services:
  web:
    image: x
    x-own: true
    use_api_socket: "\${SOCKET:-false}"
    oom_kill_disable: "\${OOM:-false}"
    network_mode: bridge
    devices: []
    deploy: { mode: replicated, x-deploy: 1 }
    gpus:
`
  assert.deepEqual(readCompose(text).problems, [])
  const asked = readCompose(text.replaceAll('-false', '-true')).problems
  assert.match(asked[0] ?? '', /error: .*"use_api_socket" is refused/)
  assert.match(asked[1] ?? '', /warning: .*"oom_kill_disable" is ignored/)
})
