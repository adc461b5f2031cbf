import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../domain/caller.ts'
import {
  changedPolicy,
  type Policy,
  type PolicyChange,
  noPolicyChange,
  strictPolicy,
} from '../../domain/policy.ts'
import type { Operations } from '../../operations/operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

async function type(args: string[], present: Policy = { ...strictPolicy, binds: ['/srv/a'] }) {
  const changes: (PolicyChange & { actor: string })[] = []
  const rack = ({ name: actor }: Caller): Partial<Operations> => ({
    getPolicy: async () => present,
    async changePolicy(change) {
      changes.push({ ...change, actor })
      return changedPolicy(present, change)
    },
  })
  return { ...(await typeCommand(['policy', ...args], { rack })), changes }
}

/** The policy as it is shown. */
function facts(said: Record<string, string>): string {
  const none = { 'bind mounts': 'none', devices: 'none', volumes: 'none' }
  const refused = { privileged: 'refused', 'host gateway': 'refused', metadata: 'refused' }
  const lines = Object.entries({ ...none, ...refused, ...said })
  return lines.map(([name, words]) => `${name.padEnd(12)}  ${words}\n`).join('')
}

test('the policy is shown', async () => {
  const { stdout, code } = await type([])
  assert.deepEqual({ stdout, code }, { stdout: facts({ 'bind mounts': '/srv/a' }), code: 0 })
  const other = { ...strictPolicy, devices: ['/dev/dri', 'gpu'], volumes: ['data'], privileged: true }
  const words = { devices: '/dev/dri, gpu', volumes: 'data', privileged: 'allowed' }
  assert.equal((await type([], other)).stdout, facts(words))
  const binds = { ...strictPolicy, binds: ['/srv/a'] }
  assert.deepEqual(JSON.parse((await type(['--json'])).stdout), binds)
})

test('what is said changes, the rest stays', async () => {
  const words = [
    '--allow-bind',
    '/srv/b',
    '--allow-bind',
    '/srv/c',
    '--deny-bind',
    '/srv/a',
    '--allow-privileged',
  ]
  const { stdout, stderr, code, changes } = await type(['set', ...words])
  assert.equal(code, 0)
  assert.equal(stdout, facts({ 'bind mounts': '/srv/b, /srv/c', privileged: 'allowed' }))
  assert.match(stderr, /next build and promote on; what runs goes on/)
  const all = {
    ...noPolicyChange,
    allowBinds: ['/srv/b', '/srv/c'],
    denyBinds: ['/srv/a'],
    privileged: true,
    actor: 'writer',
  }
  assert.deepEqual(changes, [all])
  const metadata = await type(['set', '--allow-metadata'])
  assert.match(metadata.stdout, /metadata {6}allowed/)
  assert.equal(metadata.stderr, 'it holds for the metadata service within seconds, for all that runs\n')
  assert.equal(metadata.changes[0]?.metadata, true)
  const { changes: loose } = await type(['set', '--allow-bind', '/srv/b'])
  assert.deepEqual(loose, [{ ...noPolicyChange, allowBinds: ['/srv/b'], actor: 'writer' }])
  const others = ['--allow-device', '/dev/dri', '--allow-volume', 'data', '--allow-host-gateway']
  const { changes: more } = await type(['set', ...others])
  assert.deepEqual(more, [
    {
      ...noPolicyChange,
      allowDevices: ['/dev/dri'],
      allowVolumes: ['data'],
      hostGateway: true,
      actor: 'writer',
    },
  ])
  const { changes: strict, stdout: json } = await type(['set', '--deny-privileged', '--json'])
  assert.equal(strict[0]?.privileged, false)
  assert.deepEqual(JSON.parse(json), { ...strictPolicy, binds: ['/srv/a'] })
})

test('nothing, or both at once, is no change', async () => {
  for (const words of [[], ['--allow-privileged', '--deny-privileged']]) {
    const { code, changes } = await type(['set', ...words])
    assert.equal(code, 2)
    assert.deepEqual(changes, [])
  }
})

test('what the rack refuses is said with what to type', async () => {
  const { code, stderr } = await type(['set', '--deny-bind', '/srv/a/below'])
  assert.equal(code, 1)
  assert.match(
    stderr,
    /is not among the paths that the rack allows: \/srv\/a\n→ It lies below one: --deny-bind \/srv\/a/,
  )
})
