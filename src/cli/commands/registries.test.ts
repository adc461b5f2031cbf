import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'
import type { RegistryLogin } from '../../domain/registry.ts'

test('a login is added with its password from standard input, listed without it, and removed', async () => {
  const given: (RegistryLogin | string)[] = []
  const registry = { host: 'host:5000', username: 'deploy', since: '2026-11-29T00:00:00.000Z' }
  const rack = {
    listRegistries: async () => [registry],
    addRegistry: async (login: RegistryLogin) => {
      given.push(login)
      return registry
    },
    removeRegistry: async (host: string) => void given.push(host),
  }
  const add = ['registries', 'add', 'host:5000', '--username', 'deploy']
  const added = await typeCommand(add, { rack, input: [Buffer.from('hush\n')] })
  assert.deepEqual(
    [added.code, added.stderr],
    [0, 'images of host:5000 are pulled as deploy from the next build on\n'],
  )
  const listed = await typeCommand(['registries', 'list'], { rack })
  assert.match(listed.stdout, /^host:5000 +deploy /m)
  const removed = await typeCommand(['registries', 'remove', 'host:5000', '--yes'], { rack })
  assert.equal(removed.code, 0)
  assert.deepEqual(given, [{ host: 'host:5000', username: 'deploy', password: 'hush' }, 'host:5000'])
  const nameless = await typeCommand(['registries', 'add', 'host:5000'], { rack })
  assert.equal(nameless.code, 2)
  assert.match(nameless.stderr, /--username NAME/)
})
