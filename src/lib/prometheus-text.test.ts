import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPrometheus, type Family } from './prometheus-text.ts'

test('families are written as Prometheus reads them, whatever a label holds', () => {
  const samples: Family['samples'] = [
    { labels: {}, value: 3 },
    { labels: { app: 'a"b\\c\nd', release: 'R1' }, value: 0.25 },
    { labels: { app: 'x' }, value: Number.POSITIVE_INFINITY },
  ]
  assert.equal(
    formatPrometheus([{ name: 'rack_x', help: 'one \\ line\nonly', type: 'gauge', samples }]),
    [
      '# HELP rack_x one \\\\ line\\nonly',
      '# TYPE rack_x gauge',
      'rack_x 3',
      'rack_x{app="a\\"b\\\\c\\nd",release="R1"} 0.25',
      'rack_x{app="x"} +Inf',
      '',
    ].join('\n'),
  )
})
