import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controlFor } from '../../../../test/support/docker-rack.ts'
import type { AwsParts } from '../parts.ts'
import { makeWebBalancer } from './web-balancers.ts'

test('what an earlier version has written down of a rack has no further balancer made in the wrong group', async () => {
  const parts = { rack: 'r1', places: { securityGroups: { balancers: 'sg-1' } } } as unknown as AwsParts
  await assert.rejects(makeWebBalancer(parts, 2, controlFor(1000)), {
    code: 'conflict',
    hint: /^rack update --rack r1/,
  })
})
