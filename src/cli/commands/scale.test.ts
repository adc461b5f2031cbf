import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Admission } from '../../domain/admission.ts'
import { ofApp } from '../../domain/owner.ts'
import type { Told } from '../../domain/rack.ts'
import type { Instance } from '../../domain/rack.ts'
import type { FormationChanges, Operations, Promotion } from '../../operations/operations.ts'
import { exampleResult } from '../../../test/support/scripted-operations.ts'
import { planOf, processPlan } from '../../../test/support/plans.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

const mebibyte = 1024 * 1024
const total = { cpuUnits: 2048, memoryBytes: 4096 * mebibyte }
const each = { cpuUnits: 128, memoryBytes: 128 * mebibyte }

const tooMuch: Told<Admission> = {
  fits: false,
  needs: { cpuUnits: 4096, memoryBytes: 1024 * mebibyte },
  free: { cpuUnits: 1024, memoryBytes: 2048 * mebibyte },
  short: { cpuUnits: 3072, memoryBytes: 0 },
  total,
  demands: [{ type: 'web', each, peak: 33, held: 1 }],
  surges: {},
  holders: [{ app: 'blog', type: 'web', kind: 'process', count: 4, each }],
  unplaced: [],
}

const promotion: Promotion = {
  plan: ofApp(planOf([processPlan()])),
  admission: tooMuch,
  replaced: [],
  reasons: {},
  stopped: [],
  kept: ['web'],
  removed: [],
  missing: {},
  obstacles: [],
  additions: [],
  timers: [],
}

const machine: Instance = {
  id: 'machine',
  total,
  free: { cpuUnits: 1536, memoryBytes: 3584 * mebibyte },
}

async function ask(
  args: string[],
  { fits = false, unplaced = tooMuch.unplaced, instances = [machine], additions = [] as string[] } = {},
) {
  const scaled: FormationChanges[] = []
  const planned: FormationChanges[] = []
  const rack: Partial<Operations> = {
    getFormation: async () => ({ web: { count: 2, ...each } }),
    getCapacity: async () => ({
      total,
      reserved: { cpuUnits: 512, memoryBytes: 512 * mebibyte },
      free: { cpuUnits: 1536, memoryBytes: 3584 * mebibyte },
      holders: [{ app: 'blog', type: 'import', kind: 'one-off', count: 4, each }],
      instances,
    }),
    scaleProcesses: async (_app, changes) => {
      scaled.push(changes)
      return exampleResult
    },
    planScale: async (_app, changes) => {
      planned.push(changes)
      return { ...promotion, admission: { ...tooMuch, fits, unplaced }, additions }
    },
  }
  return { ...(await typeCommand(args, { rack })), scaled, planned }
}

test('counts and sizes are read, the sizes for every type that is named', async () => {
  const { scaled } = await ask(['scale', 'web=5', 'worker', '--cpu', '256', '--memory', '1.5g'])
  const sizes = { cpuUnits: 256, memoryBytes: 1536 * mebibyte }
  assert.deepEqual(scaled, [{ web: { count: 5, ...sizes }, worker: sizes }])
  assert.deepEqual((await ask(['scale', 'web=0'])).scaled, [{ web: { count: 0 } }])
})

for (const args of [
  ['web'],
  ['web=x'],
  ['web=-1'],
  ['=3'],
  ['web=1.5'],
  ['--cpu', '256'],
  ['web', '--cpu', '1.5'],
  ['web', '--memory', 'much'],
]) {
  test(`refuses scale ${args.join(' ')} as a mistake of usage`, async () => {
    const { code, stderr, scaled } = await ask(['scale', ...args])
    assert.equal(code, 2)
    assert.match(stderr, /\n→ /)
    assert.deepEqual(scaled, [])
  })
}

test('without words the formation is shown', async () => {
  assert.equal((await ask(['scale'])).stdout, 'TYPE  COUNT  CPU   MEMORY\nweb       2  128  128 MiB\n')
  assert.deepEqual(JSON.parse((await ask(['scale', '--json'])).stdout), { web: { count: 2, ...each } })
})

test('a plan says what it would have made for all of the rack', async () => {
  const additions = ['a balancer is made']
  const { stdout } = await ask(['scale', 'web=2', '--plan'], { fits: true, additions })
  assert.match(stdout, /would make: a balancer is made\n$/)
})

test('a plan shows the arithmetic, touches nothing, and says by its exit code whether it fits', async () => {
  const { code, stdout, scaled } = await ask(['scale', 'web=33', '--plan'])
  assert.equal(code, 1)
  assert.match(stdout, /^It does not fit\.\n {2}web: 33 × \(128 cpu units and 128 MiB\)/)
  assert.match(
    stdout,
    /short of 3072 cpu units and 0 B; held by\n {2}blog\/web ×4: 512 cpu units and 512 MiB\n$/,
  )
  assert.deepEqual(scaled, [])
  assert.equal((await ask(['scale', 'web=3', '--plan'], { fits: true })).code, 0)
})

test('capacity --if asks the same', async () => {
  const { code, stdout, planned } = await ask(['capacity', '--if', 'web=33', '--if', 'worker=2', '--json'])
  assert.equal(code, 1)
  assert.deepEqual(planned, [{ web: { count: 33 }, worker: { count: 2 } }])
  assert.deepEqual(JSON.parse(stdout), tooMuch)
  assert.equal((await ask(['capacity', '--if', 'web'])).code, 2)
})

test('copies that no machine has room for are told, not a sum that nothing is short of', async () => {
  const unplaced = [
    { type: 'web', each, count: 2 },
    { type: 'ai', each: { ...each, extras: { gpu: 1 } }, count: 1 },
  ]
  const { stdout } = await ask(['capacity', '--if', 'web=33'], { unplaced })
  assert.doesNotMatch(stdout, /short of/)
  assert.match(stdout, /but no instance has room for 2 copies of web \(128 cpu units and 128 MiB each\)\n/)
  assert.match(stdout, /for a copy of ai \(128 cpu units, 128 MiB and 1 gpu each\); held by\n/)
})

test('capacity names the machines where there are several', async () => {
  const instances = ['i-1', 'i-2'].map((id) => ({ ...machine, id }))
  const { stdout } = await ask(['capacity'], { instances })
  assert.match(stdout, /\n {2}i-2: free 1536 cpu units and 3.5 GiB of 2048 cpu units and 4 GiB\n\nAPP/)
  assert.deepEqual(JSON.parse((await ask(['capacity', '--json'], { instances })).stdout).instances, instances)
})

test('capacity shows who holds what', async () => {
  const { stdout } = await ask(['capacity'])
  assert.equal(
    stdout,
    [
      'total     2048 cpu units and 4 GiB',
      'reserved  512 cpu units and 512 MiB',
      'free      1536 cpu units and 3.5 GiB',
      '',
      'APP   TYPE              COUNT  CPU   MEMORY',
      'blog  import (one-off)      4  512  512 MiB',
      '',
    ].join('\n'),
  )
})
