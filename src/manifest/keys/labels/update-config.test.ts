import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../../test/support/compose.ts'

test('parallelism and order become percents of the count', () => {
  const table: [config: string, replicas: number, minimum: number, maximum: number, mayOverlap: boolean][] = [
    ['order: start-first', 3, 100, 200, true],
    ['order: stop-first', 3, 0, 100, false],
    ['parallelism: 1', 3, 100, 134, false],
    ['parallelism: 1, order: start-first', 4, 100, 125, true],
    ['parallelism: 1, order: stop-first', 3, 66, 100, true],
    ['parallelism: 2, order: stop-first', 4, 50, 100, true],
    ['parallelism: 0, order: stop-first', 4, 0, 100, false],
    ['parallelism: 0', 4, 100, 200, false],
    ['parallelism: 9', 2, 100, 200, false],
    ['parallelism: 1', 0, 100, 200, false],
    ['', 3, 100, 200, false],
  ]
  for (const [config, replicas, minimumPercent, maximumPercent, mayOverlap] of table) {
    const { web, problems } = readWeb(`deploy: { replicas: ${replicas}, update_config: { ${config} } }`)
    assert.deepEqual(problems, [], config)
    assert.deepEqual(web.deployment, { minimumPercent, maximumPercent, mayOverlap }, config)
  }
  const { web } = readWeb(
    'scale: 4\nlabels: [rack.deployment.minimum=50]\ndeploy: { update_config: { parallelism: 1 } }',
  )
  assert.deepEqual(web.deployment, { minimumPercent: 50, maximumPercent: 200, mayOverlap: true })
})
