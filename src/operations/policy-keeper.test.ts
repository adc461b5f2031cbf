import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { RackError } from '../domain/error.ts'
import { strictPolicy, type Policy } from '../domain/policy.ts'
import { openStore } from '../store/open-store.ts'
import { openPolicy } from './policy-keeper.ts'

const allow = (path: string) => (policy: Policy) => ({ ...policy, binds: [...policy.binds, path] })

async function openPlace() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-policy-'))
  const store = await openStore({
    rack: 'home',
    directory: directory.path,
    keyFile: join(directory.path, 'key'),
  })
  const open = (seed: Policy = strictPolicy) =>
    openPolicy({ policies: store.policies, seed, checkBinds: async (paths) => refuse(paths) })
  return {
    store,
    open,
    async [Symbol.asyncDispose]() {
      await store.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

function refuse(paths: string[]): void {
  if (paths.includes('/guarded')) throw new RackError('invalid', '/guarded cannot be allowed')
}

test('a rack begins with the policy of its installation, once; then it is the store’s', async () => {
  await using place = await openPlace()
  const keeper = await place.open({ ...strictPolicy, binds: ['/srv/guarded'], privileged: true })
  assert.deepEqual(keeper.current(), { ...strictPolicy, binds: ['/srv/guarded'], privileged: true })
  await keeper.change(allow('/srv/a'), 'alice')
  const again = await place.open({ ...strictPolicy })
  assert.deepEqual(again.current(), { ...strictPolicy, binds: ['/srv/guarded', '/srv/a'], privileged: true })
  assert.equal((await place.store.policies.newest())?.actor, 'alice')
})

test('of changes at once none is lost', async () => {
  await using place = await openPlace()
  const keeper = await place.open()
  const paths = Array.from({ length: 8 }, (_, at) => `/srv/${at}`)
  await Promise.all(paths.map((path) => keeper.change(allow(path), 'alice')))
  assert.deepEqual(keeper.current().binds, paths)
})

test('what is refused or cannot be kept leaves the policy as it was', async () => {
  await using place = await openPlace()
  const keeper = await place.open()
  await keeper.change(allow('/srv/a'), 'alice')
  const bug = new Error('no')
  const broken = keeper.change(() => {
    throw bug
  }, 'alice')
  await assert.rejects(broken, (error) => error === bug)
  await assert.rejects(keeper.change(allow('/guarded'), 'alice'), { code: 'invalid' })
  place.store.policies.replace = () => Promise.reject(new RackError('disk-full', 'no'))
  await assert.rejects(keeper.change(allow('/srv/b'), 'alice'), { code: 'disk-full' })
  assert.deepEqual(keeper.current().binds, ['/srv/a'])
})
