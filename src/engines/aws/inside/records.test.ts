import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan } from '../../../../test/support/plans.ts'
import { recordChanges } from './records.ts'
import { namesOfLinks, namesOfTypes } from './wanted-names.ts'

test('one batch holds what changes: new targets, new names, names that go', () => {
  const now = new Map([
    ['web.shop.r1.internal', 'g1'],
    ['db.shop.r1.internal', 'g2'],
    ['old.shop.r1.internal', 'g3'],
  ])
  const wanted = new Map([
    ['web.shop.r1.internal', 'g9'],
    ['db.shop.r1.internal', 'g2'],
  ])
  const changes = recordChanges(now, wanted, ['old.shop.r1.internal', 'never.shop.r1.internal'])
  const told = changes.map(({ Action, ResourceRecordSet: { Name, ResourceRecords } = {} }) => [
    Action,
    Name,
    ResourceRecords?.[0]?.Value,
  ])
  assert.deepEqual(told, [
    ['UPSERT', 'web.shop.r1.internal', 'g9'],
    ['DELETE', 'old.shop.r1.internal', 'g3'],
  ])
})

test('the name of a service that the account runs leads there, and none to its client', () => {
  const client = processPlan({
    type: 'postgres',
    aliases: [],
    leadsTo: 'main.c1.eu-west-1.rds.amazonaws.com',
  })
  const plan = { ...planOf([client]), owner: { kind: 'service' as const, name: 'main' } }
  assert.deepEqual(
    [...namesOfTypes('r1', plan, new Map([['postgres', { id: 'GAAAAAAAAAA' }]]))],
    [['0s-main.r1.internal', 'main.c1.eu-west-1.rds.amazonaws.com']],
  )
})

test('names lead to the generation that serves, to services and to hosts outside', () => {
  const services = [{ service: 'main', names: ['db'] }]
  const outside = [{ host: 'mail.example.com', names: ['mail'] }]
  const web = processPlan({ aliases: ['web', 'www'], services, outside })
  const plan = planOf([web, processPlan({ type: 'worker' })])
  assert.deepEqual(
    [...namesOfTypes('r1', plan, new Map([['web', { id: 'GAAAAAAAAAA' }]]))],
    [
      ['web.shop.r1.internal', 'gaaaaaaaaaa.members.r1.internal'],
      ['www.shop.r1.internal', 'gaaaaaaaaaa.members.r1.internal'],
    ],
  )
  assert.deepEqual(
    [...namesOfLinks('r1', plan)],
    [
      ['db.shop.r1.internal', '0s-main.r1.internal'],
      ['mail.shop.r1.internal', 'mail.example.com'],
    ],
  )
})
