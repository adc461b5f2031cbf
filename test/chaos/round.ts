import assert from 'node:assert/strict'
import { beginChange, changes, type ChangeName, type RunningChange } from './changes.ts'
import { startSteadyLoad, type Seen } from './steady-load.ts'
import { becomesWhole, type Whole } from './wholeness.ts'
import { host, type World } from './world.ts'

/** What is done to a rack in the middle of a change; what it resolves to is said of the round. */
export type Blow = (world: World, change: RunningChange) => Promise<string | void>

export interface Round {
  end: 'finished' | 'undone' | 'nothing to do'
  /** The change's own answer, where it was refused or lost. */
  answer: { code: string; message: string } | null
  seen: Seen
  /** From the last blow to an app that is whole. */
  wholeMs: number
  note: string
}

const wholeDeadlineMs = 60_000

/** Begins a change under load, strikes, and holds the rack to its promises. */
export async function strikeChange(world: World, name: ChangeName, blow: Blow): Promise<Round> {
  const before = await becomesWhole(world, wholeDeadlineMs)
  const kind = changes[name]
  const load = startSteadyLoad({ port: world.rack.installation.http.port, host })
  try {
    const change = beginChange(kind, world, before)
    const note = (await blow(world, change)) ?? ''
    const answer = await change.answer
    const began = performance.now()
    const after = await becomesWhole(world, wholeDeadlineMs)
    const wholeMs = performance.now() - began
    const isDone = kind.isDone(before, after)
    assertReleases(before, after)
    if (answer === null) assert.ok(isDone && !kind.mustFail, `the ${name} was acknowledged, and is not live`)
    else if (kind.mustFail) assert.equal(isDone, false, `the ${name} is live`)
    const seen = await load.stop()
    assertWords(seen)
    return { end: isDone ? 'finished' : 'undone', answer, seen, wholeMs, note }
  } finally {
    await load.stop()
  }
}

/** The same of a rack that has nothing to do. */
export async function strikeIdle(world: World, blow: (world: World) => Promise<void>): Promise<Round> {
  const before = await becomesWhole(world, wholeDeadlineMs)
  const load = startSteadyLoad({ port: world.rack.installation.http.port, host })
  try {
    await blow(world)
    const began = performance.now()
    const after = await becomesWhole(world, wholeDeadlineMs)
    const wholeMs = performance.now() - began
    assert.deepEqual(after, before)
    const seen = await load.stop()
    assertWords(seen)
    return { end: 'nothing to do', answer: null, seen, wholeMs, note: '' }
  } finally {
    await load.stop()
  }
}

function assertReleases(before: Whole, after: Whole): void {
  const lost = before.releases.filter((id) => !after.releases.includes(id))
  assert.deepEqual(lost, [], 'releases are lost')
}

/** Nobody ever gets an answer of another app, or of a release that does not serve. */
function assertWords({ bodies }: Seen): void {
  const strange = [...bodies].filter((body) => !['one', 'two'].includes(body))
  assert.deepEqual(strange, [], 'answers of neither release')
}
