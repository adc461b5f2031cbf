import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NoticedPort } from './noticed-port.ts'
import type { Plan } from './plan.ts'
import { noticedAfter, portsToAsk } from './ports-to-ask.ts'

const answered: NoticedPort = { process: 'site', port: 3000, build: 'B1', speaksHttp: true, isServed: false }

const planOf = (build: string, process: object) =>
  ({
    build,
    processes: [
      { type: 'site', count: 1, ports: [], nameless: { container: 3000, external: 3000 }, ...process },
    ],
  }) as unknown as Plan

test('a port is asked once for each build, where a copy is there to answer', () => {
  const asked = [{ process: 'site', container: 3000, external: 3000 }]
  assert.deepEqual(portsToAsk(planOf('B1', {}), []), asked)
  assert.deepEqual(portsToAsk(planOf('B1', {}), [answered]), [])
  assert.deepEqual(portsToAsk(planOf('B2', {}), [answered]), asked)
  assert.deepEqual(portsToAsk(planOf('B1', {}), [{ ...answered, port: 4000 }]), asked)
  assert.deepEqual(portsToAsk(planOf('B1', { count: 0 }), []), [])
  assert.deepEqual(portsToAsk(planOf('B1', { nameless: undefined }), []), [])
})

test('what is known stays until it is answered otherwise, and says what is served now', () => {
  const named = { ports: [{ isNoticed: true }] }
  const after = (process: object, answers: [string, boolean | null][]) =>
    noticedAfter(planOf('B2', process), [answered], new Map(answers))
  assert.deepEqual(after({}, []), [answered])
  assert.deepEqual(after({}, [['site', null]]), [answered])
  assert.deepEqual(after(named, []), [{ ...answered, isServed: true }])
  assert.deepEqual(after(named, [['site', false]]), [
    { ...answered, build: 'B2', speaksHttp: false, isServed: true },
  ])
  assert.deepEqual(after({ nameless: undefined }, []), [])
})
