import assert from 'node:assert/strict'
import { RackError } from '../../src/domain/error.ts'
import { app, type World } from './world.ts'
import type { Whole } from './wholeness.ts'

/** A change of the app that is under way. */
export interface RunningChange {
  /** Settles when the phase begins, or when the change is over before. */
  reaches(phase: string): Promise<'reached' | 'over before'>
  /** How it ended for who asked: null when it was acknowledged. */
  answer: Promise<{ code: string; message: string } | null>
}

export interface ChangeKind {
  /** Brings the app to where the change does the same each time. */
  prepare?(world: World): Promise<void>
  begin(world: World, before: Whole, hear: (phase: string) => void): Promise<unknown>
  /** Whether the app is as this change makes it. */
  isDone(before: Whole, after: Whole): boolean
  /** True where only the old state is right in the end. */
  mustFail?: boolean
}

export type ChangeName = 'promote' | 'failing promote' | 'scale' | 'restart' | 'rollback' | 'stop'

const params = { app }
const isOtherRelease = (before: Whole, after: Whole) => after.release !== before.release
const hasNew = (before: Whole, after: Whole) => after.copies.some((copy) => !before.copies.includes(copy))

export const changes: Record<ChangeName, ChangeKind> = {
  promote: {
    async begin({ rack, releases }, before, hear) {
      const wanted = await otherWord(rack, releases, before)
      await listen(rack.client.promoteRelease({ params: { app, release: wanted } }), hear)
    },
    isDone: isOtherRelease,
  },
  'failing promote': {
    begin: ({ rack, releases }, _before, hear) =>
      listen(rack.client.promoteRelease({ params: { app, release: releases.failing } }), hear),
    isDone: isOtherRelease,
    mustFail: true,
  },
  scale: {
    prepare: ({ rack }) =>
      listen(rack.client.scaleProcesses({ params, body: { web: { count: 2 } } }), () => undefined),
    begin: ({ rack }, _before, hear) =>
      listen(rack.client.scaleProcesses({ params, body: { web: { count: 4 } } }), hear),
    isDone: (before, after) => after.counts['web'] !== before.counts['web'],
  },
  restart: {
    begin: ({ rack }, _before, hear) => listen(rack.client.restartApp({ params }), hear),
    isDone: (before, after) => after.copies.every((copy) => !before.copies.includes(copy)),
  },
  rollback: {
    begin: ({ rack }, _before, hear) =>
      listen(rack.client.rollbackRelease({ params: { app, release: 'previous' } }), hear),
    isDone: isOtherRelease,
  },
  stop: {
    begin: ({ rack }, before) => rack.client.stopProcess({ params: { app, process: before.webs[0]! } }),
    isDone: hasNew,
  },
}

/** Of the two releases that serve, the one whose build is not live. */
async function otherWord(
  { client }: World['rack'],
  { one, two }: World['releases'],
  { build }: Whole,
): Promise<string> {
  const first = await client.getRelease({ params: { app, release: one } })
  return first.build === build ? two : one
}

async function listen(
  lines: AsyncIterable<{ type: string; phase?: string; state?: string }>,
  hear: (phase: string) => void,
): Promise<void> {
  let hasResult = false
  for await (const line of lines) {
    if (line.type === 'phase' && line.phase !== undefined && line.state === 'started') hear(line.phase)
    hasResult ||= line.type === 'result'
  }
  assert.ok(hasResult, 'the stream has no result')
}

/** Begins a change and hears how it goes on. */
export function beginChange(kind: ChangeKind, world: World, before: Whole): RunningChange {
  const phases = new Map<string, PromiseWithResolvers<'reached'>>()
  const phaseOf = (name: string) => {
    const known = phases.get(name) ?? Promise.withResolvers<'reached'>()
    phases.set(name, known)
    return known
  }
  const answer = kind
    .begin(world, before, (phase) => phaseOf(phase).resolve('reached'))
    .then(
      () => null,
      (error: unknown) => ({
        code: error instanceof RackError ? error.code : 'an error',
        message: error instanceof Error ? error.message : String(error),
      }),
    )
  return {
    answer,
    reaches: (phase) => Promise.race([phaseOf(phase).promise, answer.then(() => 'over before' as const)]),
  }
}
