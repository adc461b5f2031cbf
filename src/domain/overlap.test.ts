import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../test/support/compose.ts'
import { planOf, processPlan, servesHttp } from '../../test/support/plans.ts'
import type { Mount } from './container.ts'
import { gapText, typesWithGap } from './overlap.ts'
import { isAloneWithVolume } from './written-volumes.ts'

test('two releases overlap where the volume is only read, or the file itself asks for it', () => {
  const isAlone = (keys: string) => {
    const lines = `image: nginx\n${keys}`.replaceAll(/^/gm, '    ')
    const { processes, problems } = readCompose(
      `services:\n  web:\n${lines}\nvolumes: { data: {}, more: {} }`,
    )
    assert.deepEqual(
      problems.filter((problem) => problem.includes('error')),
      [],
      keys,
    )
    return isAloneWithVolume(processes[0]!)
  }
  const own = 'volumes: ["data:/data"]'
  assert.equal(isAlone(own), true)
  assert.equal(isAlone('volumes: ["data:/data:ro"]'), false)
  assert.equal(isAlone('volumes: ["data:/data:ro", "more:/more"]'), true)
  assert.equal(isAlone('volumes: ["/data"]'), false)
  const asked = (config: string) => isAlone(`${own}\n${config}`)
  assert.equal(asked('deploy: { update_config: { order: start-first } }'), false)
  assert.equal(asked('deploy: { update_config: { order: stop-first } }'), true)
  assert.equal(asked('deploy: { update_config: { parallelism: 1 } }'), true)
  assert.equal(asked('labels: ["rack.deployment.minimum=100"]'), false)
  assert.equal(asked('labels: ["rack.deployment.minimum=0"]'), true)
  assert.equal(asked('labels: ["rack.deployment.maximum=150"]'), true)
  assert.equal(asked('labels: ["convox.deployment.minimum=50"]'), false)
  assert.equal(
    asked('labels: ["rack.deployment.minimum=0"]\ndeploy: { update_config: { order: start-first } }'),
    true,
  )
})

const mount: Mount = { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false }
const db = (count: number) => processPlan({ type: 'db', count, stopFirst: true, mounts: [mount] })

test('a gap is where one copy makes place for one, and not where several share the volume', () => {
  const gaps = (before: number | null, count: number, replaced = ['db']) => {
    const live = before === null ? null : planOf([db(before)])
    return typesWithGap(planOf([db(count)]), live, new Set(replaced)).map(({ type }) => type)
  }
  assert.deepEqual(gaps(1, 1), ['db'])
  assert.deepEqual(gaps(1, 1, ['web']), [])
  assert.deepEqual(gaps(3, 3), [])
  assert.deepEqual(gaps(1, 3), ['db'])
  assert.deepEqual(gaps(3, 1), ['db'])
  assert.deepEqual(gaps(null, 1), [])
  assert.deepEqual(gaps(0, 1), [])
  assert.deepEqual(gaps(1, 0), [])
  const said = 'db stops before its successor starts: only one may write the volume data'
  assert.equal(gapText(db(1)), said)
  const open = { ...db(1), ...servesHttp(80, []), holdMs: 6000 }
  assert.equal(
    gapText(open),
    `${said}; requests wait 6 s at most meanwhile, and what ran before is back when it does not listen for 4 s (rack.health.grace)`,
  )
  const patient = { ...open, health: { ...open.health, graceMs: 9000 } }
  assert.equal(gapText(patient), `${said}; requests wait 6 s at most meanwhile`)
  assert.equal(gapText({ ...open, holdMs: 0 }), `${said}; requests fail meanwhile`)
})
