import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markPassThrough } from './build-command.ts'
import type { CommandSpec } from './command-spec.ts'

const run: CommandSpec = {
  name: 'run',
  arguments: '<type> [command...]',
  summary: '',
  examples: [],
  options: [
    { flags: '-d, --detach', meaning: '' },
    { flags: '--timeout <duration>', meaning: '' },
  ],
  needs: 'app',
  isPassThrough: true,
}

const cases: [string, string][] = [
  ['web', 'web'],
  ['web ls -la', 'web -- ls -la'],
  ['web -- ls -la', 'web -- ls -la'],
  ['--timeout 5s -d web sh -c x', '--timeout 5s -d web -- sh -c x'],
  ['web --app shop sh --app y', 'web --app shop -- sh --app y'],
  ['--timeout=5s web sh', '--timeout=5s web -- sh'],
  ['-a shop web -d sh -d', '-a shop web -d -- sh -d'],
  ['web -', 'web -- -'],
  ['', ''],
]

for (const [typed, marked] of cases) {
  test(`run ${typed}`, () => {
    const words = typed.split(' ').filter((word) => word !== '')
    assert.equal(markPassThrough(run, words).join(' '), marked)
  })
}

test('a command of its own options is left as it is', () => {
  assert.deepEqual(markPassThrough({ ...run, isPassThrough: false }, ['web', 'ls', '-la']), [
    'web',
    'ls',
    '-la',
  ])
})
