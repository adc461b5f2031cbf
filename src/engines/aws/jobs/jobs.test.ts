import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan } from '../../../../test/support/plans.ts'
import { appOwner } from '../../../domain/owner.ts'
import { generationName } from '../names.ts'
import { commandName, jobGeneration, jobName } from './jobs.ts'

test('what runs by itself is made once an identity, a release and a rack', () => {
  const from = {
    rack: 'rack',
    owner: appOwner('shop'),
    type: 'migrate',
    release: 'RAAAAAAAAAA',
    identity: 'a',
  }
  const others = [
    { ...from, rack: 'other' },
    { ...from, release: 'RBBBBBBBBBB' },
    { ...from, identity: 'b' },
  ]
  const names = [...[from, ...others].map(jobName), ...[from, ...others.slice(0, 2)].map(commandName)]
  assert.equal(new Set(names.map(generationName)).size, 7)
  assert.deepEqual(jobName(from), jobName({ ...from }))
  for (const { id } of names) assert.match(id, /^G[A-Z]{10}$/)
})

test('jobs and release commands of a plan are found by the same names', () => {
  const migrate = processPlan({ type: 'migrate', restart: 'no', releaseCommand: ['migrate'] })
  const ids = (rack: string, release: string) =>
    jobGeneration(rack, planOf([migrate], { release })).map(({ id }) => id)
  const [one, other, next] = [
    ids('rack', 'RAAAAAAAAAA'),
    ids('other', 'RAAAAAAAAAA'),
    ids('rack', 'RBBBBBBBBBB'),
  ]
  assert.equal(new Set([...one, ...other, ...next]).size, 6)
  const from = { rack: 'rack', owner: appOwner('shop'), type: 'migrate', release: 'RAAAAAAAAAA' }
  assert.equal(one[1], commandName(from).id)
})
