import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedPolicy, type Policy, type PolicyChange } from '../../domain/policy.ts'
import type { Operations } from '../../operations/operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

async function type(args: string[], present: Policy = { binds: ['/srv/a'], privileged: false }) {
  const changes: (PolicyChange & { actor: string })[] = []
  const rack: Partial<Operations> = {
    getPolicy: async () => present,
    async changePolicy(change, actor) {
      changes.push({ ...change, actor })
      return changedPolicy(present, change)
    },
  }
  return { ...(await typeCommand(['policy', ...args], { rack })), changes }
}

test('the policy is shown', async () => {
  const { stdout, code } = await type([])
  assert.deepEqual({ stdout, code }, { stdout: 'bind mounts  /srv/a\nprivileged   refused\n', code: 0 })
  const { stdout: other } = await type([], { binds: [], privileged: true })
  assert.equal(other, 'bind mounts  none\nprivileged   allowed\n')
  assert.deepEqual(JSON.parse((await type(['--json'])).stdout), { binds: ['/srv/a'], privileged: false })
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
  assert.equal(stdout, 'bind mounts  /srv/b, /srv/c\nprivileged   allowed\n')
  assert.match(stderr, /next build and promote on; what runs goes on/)
  const all = { allowBinds: ['/srv/b', '/srv/c'], denyBinds: ['/srv/a'], privileged: true, actor: 'writer' }
  assert.deepEqual(changes, [all])
  const { changes: loose } = await type(['set', '--allow-bind', '/srv/b'])
  assert.deepEqual(loose, [{ allowBinds: ['/srv/b'], denyBinds: [], privileged: null, actor: 'writer' }])
  const { changes: strict, stdout: json } = await type(['set', '--deny-privileged', '--json'])
  assert.equal(strict[0]?.privileged, false)
  assert.deepEqual(JSON.parse(json), { binds: ['/srv/a'], privileged: false })
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
