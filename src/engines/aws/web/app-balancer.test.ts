import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner, type Owner } from '../../../domain/owner.ts'
import { homeOf } from './app-balancer.ts'

const shop = appOwner('shop')
const blog = appOwner('blog')

const generation = (owner: Owner, balancer?: string, groups: string[] = []) => ({
  owner,
  tags: balancer === undefined ? {} : { balancer },
  service: { status: 'ACTIVE', loadBalancers: groups.map((targetGroupArn) => ({ targetGroupArn })) },
})

const web = (number: number, ...groups: string[]) => {
  const led = groups.map((arn) => ({ arn, weight: 1 }))
  const balancer = { number, arn: '', host: '', listeners: { http: '', https: null } }
  return { balancer, rules: [{ arn: '', priority: 2, groups: led, conditions: [] }] }
}

test('where an app is its services say, and of one that never started its places', () => {
  const generations = [generation(shop), generation(shop, '2'), generation(appOwner('worker'))]
  const places = [
    { number: 1, owner: shop },
    { number: 3, owner: blog },
  ]
  const found = (name: string) => homeOf({ generations, places, webs: [] }, appOwner(name))
  assert.deepEqual([found('shop'), found('blog'), found('worker'), found('new')], [2, 3, null, null])
})

test('an app of before there were further balancers is where the rules that lead to it are', () => {
  const webs = [web(1, 'arn:other', 'arn:shop'), web(2, 'arn:far')]
  const generations = [
    generation(shop, undefined, ['arn:port', 'arn:shop']),
    generation(blog, undefined, ['arn:raw']),
  ]
  const found = (owner: Owner) => homeOf({ generations, places: [], webs }, owner)
  assert.deepEqual([found(shop), found(blog)], [1, null])
})

test('what leaves says nothing of where an app is: records that led there do not come again', () => {
  const leaving = generation(shop, '2')
  leaving.service.status = 'DRAINING'
  assert.equal(homeOf({ generations: [leaving], places: [], webs: [] }, shop), null)
})
