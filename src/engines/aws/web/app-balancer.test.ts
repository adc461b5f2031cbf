import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner } from '../../../domain/owner.ts'
import { homeOf } from './app-balancer.ts'

const shop = appOwner('shop')
const blog = appOwner('blog')

test('where an app is its services say, and of one that never started its places', () => {
  const generations = [
    { owner: shop, tags: {} },
    { owner: shop, tags: { balancer: '2' } },
    { owner: appOwner('worker'), tags: {} },
  ]
  const places = [
    { number: 1, owner: shop },
    { number: 3, owner: blog },
  ]
  const found = (name: string) => homeOf({ generations, places }, appOwner(name))
  assert.deepEqual([found('shop'), found('blog'), found('worker'), found('new')], [2, 3, null, null])
})
