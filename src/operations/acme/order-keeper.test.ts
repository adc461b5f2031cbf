import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KeptOrder } from '../../domain/certificate-order.ts'
import { openStore } from '../../store/open-store.ts'
import { openOrders } from './order-keeper.ts'

const account = { directory: 'https://ca.example.com/dir', email: null, ca: null, url: null, key: 'key' }
const begun: KeptOrder = {
  name: 'shop.example.com',
  directory: account.directory,
  url: null,
  challenge: null,
  failures: 0,
  next: '2026-06-01T00:00:00.000Z',
  failed: null,
  key: null,
}

test('what works at an order is ended when it is forgotten, and writes down nothing from then on', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-orders-'))
  const keyFile = join(directory.path, 'rack.key')
  const store = await openStore({ directory: join(directory.path, 'store'), keyFile, rack: 'rack' })
  try {
    const orders = await openOrders(store.acme)
    const left = { kind: 'dns-01' as const, token: 't', answer: 'a' }
    const gone: [string, KeptOrder[], () => Promise<void>][] = [
      ['forgotten', [], () => orders.forget(begun.name)],
      ['of nobody', [], () => orders.askNone()],
      ['of another', [begun], () => orders.ask({ ...account, directory: 'https://other.example.com/dir' })],
    ]
    for (const [what, rest, leave] of gone) {
      await orders.ask(account)
      await orders.begin(begun)
      const wanted = orders.wanted(begun.name)
      await leave()
      assert.ok(wanted.aborted, what)
      assert.deepEqual(orders.orders(), rest, what)
      if (rest.length > 0) continue
      await assert.rejects(orders.change(begun.name, { failures: 1 }), { code: 'cancelled' }, what)
      assert.deepEqual(await store.acme.orders(), [], what)
    }
    await assert.rejects(orders.begin(begun), { code: 'cancelled' }, 'its authority is not asked')
    await orders.ask(account)
    await orders.begin({ ...begun, challenge: left })
    await orders.askNone()
    assert.deepEqual(orders.order(begun.name)?.challenge, left, 'a record that is to be taken away is known')
  } finally {
    await store.close()
  }
})
