import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usualIntervals } from './parts.ts'
import { untilKnown } from './until-known.ts'

const { signal } = new AbortController()
const refused = (name: string) => Object.assign(new Error('no'), { name })

/** Refuses so often, then answers. */
function asked(name: string, times: number) {
  let calls = 0
  const ask = async () => {
    if (calls++ < times) throw refused(name)
    return calls
  }
  return { ask, calls: () => calls }
}

test('what is not known yet is asked for again, for a while; what nobody may is not', async () => {
  const within = (known: number) => ({ intervals: { ...usualIntervals, tasks: 1, known } })
  assert.equal(await untilKnown(within(60_000), asked('InvalidParameterException', 2).ask, signal), 3)
  for (const name of ['ClientException', 'TargetGroupNotFoundException', 'RuleNotFoundException'])
    assert.equal(await untilKnown(within(60_000), asked(name, 1).ask, signal), 2)
  const never = asked('InvalidParameterException', Infinity)
  await assert.rejects(untilKnown(within(20), never.ask, signal), { name: 'InvalidParameterException' })
  assert.ok(never.calls() > 1)
  const denied = asked('AccessDeniedException', Infinity)
  await assert.rejects(untilKnown(within(60_000), denied.ask, signal), { name: 'AccessDeniedException' })
  assert.equal(denied.calls(), 1)
})
