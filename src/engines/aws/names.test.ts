import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { idPattern } from '../../domain/id.ts'
import { appOwner, type Owner } from '../../domain/owner.ts'
import {
  ecsTags,
  generationName,
  insideName,
  makeGenerationId,
  membersName,
  ownerPrefix,
  processIdOf,
  readGenerationName,
  readTags,
  roleName,
  streamName,
  targetGroupName,
} from './names.ts'

const shop = appOwner('shop')
const redis: Owner = { kind: 'service', name: 'shop' }

test('the name of a generation says whose it is, and an app never meets a service of its name', () => {
  for (const owner of [shop, redis]) {
    const generation = { owner, type: 'web', id: 'GABCDEFGHIJ' }
    assert.deepEqual(readGenerationName(generationName(generation)), generation)
  }
  assert.equal(generationName({ owner: shop, type: 'web', id: 'GABCDEFGHIJ' }), 'shop_web_GABCDEFGHIJ')
  assert.equal(
    generationName({ owner: redis, type: 'redis', id: 'GABCDEFGHIJ' }),
    '0s-shop_redis_GABCDEFGHIJ',
  )
  assert.ok(!'shop-two_web_GABCDEFGHIJ'.startsWith(ownerPrefix(shop)))
  for (const stranger of ['shop_web', 'default', 'shop_web_G1', 'a_b_c_GABCDEFGHIJ']) {
    assert.equal(readGenerationName(stranger), null)
  }
})

test('a role has no longer a name than IAM takes, and no other one has it', () => {
  assert.equal(roleName('r1', shop, 'task'), 'r1-shop-task')
  const long = (end: string) => appOwner('a-name-of-thirty-characters-'.slice(0, 28) + end)
  const names = ['aa', 'bb'].flatMap((end) =>
    (['execution', 'task'] as const).map((kind) =>
      roleName('a-rack-of-thirty-characters-ok', long(end), kind),
    ),
  )
  assert.equal(new Set(names).size, 4)
  for (const name of names) assert.match(name, /^[\w-]{60,64}$/)
})

test('ids are capitals behind their letter, the same for the same task', () => {
  const random = (count: number) => createHash('sha512').update('any').digest().subarray(0, count)
  assert.match(makeGenerationId(random), /^G[A-Z]{10}$/)
  const arn = 'arn:aws:ecs:eu-west-1:123456789012:task/rack/0123456789abcdef'
  assert.match(processIdOf(arn), idPattern)
  assert.equal(processIdOf(arn), processIdOf(`other/${arn.split('/').at(-1)}`))
  assert.notEqual(processIdOf(arn), processIdOf(`${arn}0`))
})

test('a target group has a name of 30 characters that begins with a letter', () => {
  const generation = { owner: shop, type: 'web', id: 'GABCDEFGHIJ' }
  assert.match(targetGroupName('r1', generation, 'http 80'), /^r-[0-9a-f]{28}$/)
  assert.notEqual(targetGroupName('r1', generation, 'http'), targetGroupName('r1', generation, 'tcp 5000'))
})

test('names inside are below the owner, and lead to the members of a generation', () => {
  assert.equal(insideName('r1', shop, 'Web'), 'web.shop.r1.internal')
  assert.equal(membersName('r1', { id: 'GABCDEFGHIJ' }), 'gabcdefghij.members.r1.internal')
  assert.equal(streamName('web', 'RAAAAAAAAAA', 'abc'), 'web.RAAAAAAAAAA/main/abc')
})

test('tags are read as they were written; strangers are passed over', () => {
  const tags = ecsTags({ type: 'web', release: 'R1' })
  assert.deepEqual(readTags([...tags, { key: 'team', value: 'blue' }]), { type: 'web', release: 'R1' })
})
