import { RackError } from '../domain/error.ts'
import { stopsFirst } from '../domain/overlap.ts'
import { isNamed, isStaffOf, isUp, progressOf, staffOf, type TypeProgress } from './progress.ts'
import type { ObservedCopy } from './runtime.ts'
import type { RolloutState, Step } from './state.ts'
import type { Target } from './target.ts'
import { waveOf } from './waves.ts'

/**
 * What to do now, from what is there and what should be. Pure; nothing when all is as it should be. Whatever is found
 * there, doing what it says until it says nothing ends in the target.
 */
export function next(state: RolloutState, target: Target): Step[] {
  const debris = debrisOf(state, target)
  if (debris.length > 0) return [{ do: 'remove', copies: debris }]
  const all = target.types.map((type) => progressOf(type, state, target))
  const steps = all.flatMap((progress) => typeSteps(progress, all, state, target))
  return steps.length > 0 ? steps : moveSteps(all, state, target)
}

/** Never started, failed in the gate, or never got so far and nobody wants it any more. */
function debrisOf(state: RolloutState, target: Target): ObservedCopy[] {
  const wanted = new Set(target.types.flatMap((type) => wantedOf(progressOf(type, state, target))))
  return state.copies.filter((copy) => {
    if (copy.kind === 'release-command')
      return !target.keepsCommands && !isAwaitedCommand(copy, state, target)
    if (copy.kind !== 'process' || copy.mark === 'draining') return false
    if (copy.state === 'created') return true
    if (copy.mark !== 'unproved') return false
    return target.isUndo || !wanted.has(copy.process) || hasFailed(copy, state)
  })
}

function wantedOf({ ready, passed, unproved, down }: TypeProgress): string[] {
  return [...ready, ...passed, ...unproved, ...down].map((copy) => copy.process)
}

function isAwaitedCommand({ type, release }: ObservedCopy, state: RolloutState, target: Target): boolean {
  return target.commands.has(type) && !state.commandsRun.has(type) && release === target.plan.release
}

function hasFailed(copy: ObservedCopy, state: RolloutState): boolean {
  const isGoodEnd = copy.exitCode === 0 && copy.endedByItself
  // What this rollout has started is judged in the gate, however soon it has ended.
  const isJudged = state.passed.has(copy.process) || state.begun.has(copy.process)
  return copy.state === 'ended' && !isGoodEnd && !isJudged
}

function typeSteps(progress: TypeProgress, all: TypeProgress[], state: RolloutState, target: Target): Step[] {
  const { unproved, passed, down, missing } = progress
  const { type } = progress.target.plan
  const mayBeNamed = passed.filter((copy) => isUp(copy) && !isNamed(progress.target.plan, copy))
  // Where no older copy answers to a name it is given at once: types that wait for this one can reach it.
  if (mayBeNamed.length > 0 && isAlone(progress)) return [{ do: 'name', type, copies: mayBeNamed }]
  if (unproved.length > 0) return [{ do: 'prove', type, copies: unproved }]
  if (!progress.target.waits.every((wait) => isMet(wait, all, { state, isUndo: target.isUndo }))) return []
  if (target.commands.has(type) && !state.commandsRun.has(type)) return [{ do: 'command', type }]
  if (down.length + missing === 0 || isHeldByCommand(type, state, target)) return []
  if (isLaterWave(progress, state) && (passed.length > 0 || !hasMoved(all, state))) return []
  const steps = waveSteps(progress, state)
  // What others fail by costs nobody a request, as long as it is found before anybody leaves.
  const leaves = (step: Step) => step.do === 'prepare' || (step.do === 'park' && step.isLast)
  const mustWait = steps.some(leaves) && !target.isUndo
  return mustWait && !areOthersThrough(all, state) ? [] : steps
}

/**
 * A release command comes before whatever of the release does not stand under it: all types may need what it prepares,
 * such as the tables of a database, and its own type waits for some of them.
 */
function isHeldByCommand(type: string, state: RolloutState, { commands, types }: Target): boolean {
  const due = [...commands].filter((each) => !state.commandsRun.has(each))
  const needed = new Set(due)
  // A set that grows while it is walked is walked to its end.
  for (const each of needed) {
    const found = types.find(({ plan }) => plan.type === each)
    for (const wait of found?.waits ?? []) needed.add(wait.type)
  }
  return due.length > 0 && !needed.has(type)
}

function waveSteps(progress: TypeProgress, state: RolloutState): Step[] {
  const { down, target } = progress
  const { type } = target.plan
  const holders = holdersLeaving(progress, state)
  if (holders.length > 0) return [{ do: 'vacate', type, copies: holders }]
  const { park, start } = waveOf(progress)
  const leavesNone = park.length > 0 && isLast(progress, park)
  const fresh = Math.max(0, start - down.length)
  // What the engine refuses is known, and made, while the old ones serve.
  if (leavesNone && fresh > 0 && !state.prepared.has(type)) return [{ do: 'prepare', type, count: fresh }]
  if (park.length > 0) return [{ do: 'park', type, copies: park, isLast: leavesNone }]
  const again = down.slice(0, start)
  return [
    ...(again.length > 0 ? [{ do: 'revive', type, copies: again } as const] : []),
    ...(start > again.length ? [{ do: 'start', type, count: start - again.length } as const] : []),
  ]
}

/** Whether no copy of the type serves once these have left. */
function isLast({ ready, old }: TypeProgress, park: ObservedCopy[]): boolean {
  return !ready.some(isUp) && old.filter(isUp).length === park.length
}

/** Whether all types are through their gates that wait for none of those whose last copies are about to leave. */
function areOthersThrough(all: TypeProgress[], state: RolloutState): boolean {
  const late = new Set(all.filter(isAboutToLeave).map(({ target }) => target.plan.type))
  // A set that grows while it is walked is walked to its end.
  for (const type of late) {
    for (const { target } of all) {
      if (target.waits.some((wait) => wait.type === type)) late.add(target.plan.type)
    }
  }
  return all.every((progress) => late.has(progress.target.plan.type) || isThrough(progress, state))
}

function isAboutToLeave(progress: TypeProgress): boolean {
  const { down, missing } = progress
  const { park } = waveOf(progress)
  return down.length + missing > 0 && park.length > 0 && isLast(progress, park)
}

/** Everything is through its gate: names and marks, then the router beside the old, then without; then the old leave. */
function moveSteps(all: TypeProgress[], state: RolloutState, target: Target): Step[] {
  const { isUndo } = target
  if (!all.every((progress) => isThrough(progress, state))) throw stuck(all)
  const passed = all.flatMap((progress) => progress.passed)
  if (passed.length > 0) return [{ do: 'settle', copies: passed }]
  const serving = all.flatMap(({ ready }) => ready.filter(isUp)).map((copy) => copy.process)
  const old = all.flatMap((progress) =>
    progress.old.filter((copy) => isUp(copy) && state.before.has(copy.process)),
  )
  const beside = isUndo ? serving : [...serving, ...old.map((copy) => copy.process)]
  if (state.routed === null || !serving.every((processId) => state.routed?.has(processId))) {
    return [{ do: 'route', processes: beside }]
  }
  if (!all.every(isComplete)) throw stuck(all)
  const leaving = leavingOf(all, state)
  const unwatched = unwatchedOf(all, state)
  const isWatching = !isUndo && (target.isNewRelease || leaving.length > 0)
  if (isWatching && unwatched.length > 0) return [{ do: 'watch', copies: unwatched }]
  if (state.routed.size > serving.length) return [{ do: 'route', processes: serving }]
  return leaving.length > 0 ? [{ do: 'retire', copies: leaving }] : []
}

/** New copies that were not watched yet; both they and those that they replace serve meanwhile. */
function unwatchedOf(all: TypeProgress[], { begun, watched }: RolloutState): ObservedCopy[] {
  return all.flatMap(({ target, ready }) =>
    target.plan.watchMs === 0
      ? []
      : ready.filter((copy) => isUp(copy) && begun.has(copy.process) && !watched.has(copy.process)),
  )
}

/** What no type wants any more, copies of types that are gone too. */
function leavingOf(all: TypeProgress[], state: RolloutState): ObservedCopy[] {
  const types = new Set(all.map(({ target }) => target.plan.type))
  const orphans = state.copies.filter((copy) => !types.has(copy.type) && isStaffOf(copy.type, copy))
  return [...all.flatMap(({ old }) => old), ...orphans]
}

/** Whether no older copy of the type can be reached. */
function isAlone({ ready, old }: TypeProgress): boolean {
  return ready.length === 0 && !old.some(isUp)
}

function isMet(
  { type, condition }: { type: string; condition: string },
  all: TypeProgress[],
  { state, isUndo }: { state: RolloutState; isUndo: boolean },
): boolean {
  const progress = all.find(({ target }) => target.plan.type === type)
  if (!progress || progress.target.isLeft || progress.target.plan.count === 0) return true
  const { ready, passed, unproved, down, target } = progress
  // Whoever goes back starts nothing, so nothing of such a type will come.
  if (ready.length + passed.length + unproved.length + down.length === 0) return isUndo
  if (ready.length + passed.length + unproved.length === 0) return false
  if (down.length > 0 && !isLaterWave(progress, state)) return false
  if (condition === 'started') return true
  const isReachable = !isAlone(progress) || passed.every((copy) => !isUp(copy) || isNamed(target.plan, copy))
  return unproved.length === 0 && isReachable
}

/** Some of its copies came with this rollout, beside older ones: the next wait until all types have come so far. */
function isLaterWave({ ready, passed, old }: TypeProgress, { found }: RolloutState): boolean {
  const hasNew = passed.length > 0 || ready.some(({ process: processId }) => !found.has(processId))
  return hasNew && old.length > 0
}

function hasMoved(all: TypeProgress[], state: RolloutState): boolean {
  const { routed } = state
  const serving = all.flatMap(({ ready }) => ready.filter(isUp))
  const areThrough = all.every((progress) => isThrough(progress, state))
  return areThrough && routed !== null && serving.every(({ process: processId }) => routed.has(processId))
}

/** Whether a type has no copy that is to be started or proved before traffic moves. */
function isThrough(progress: TypeProgress, state: RolloutState): boolean {
  const { unproved, down, missing } = progress
  return unproved.length === 0 && (down.length + missing === 0 || isLaterWave(progress, state))
}

function isComplete({ passed, unproved, down, missing }: TypeProgress): boolean {
  return passed.length + unproved.length + down.length + missing === 0
}

/** Copies that drain and hold a volume which two copies may not share. */
function holdersLeaving(progress: TypeProgress, { copies }: RolloutState): ObservedCopy[] {
  const { plan } = progress.target
  if (!stopsFirst(plan, staffOf(progress))) return []
  const own = new Set(
    plan.mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.external ?? mount.volume] : [])),
  )
  return copies.filter(
    ({ mark, volumes }) => mark === 'draining' && volumes.some((volume) => own.has(volume)),
  )
}

function stuck(all: TypeProgress[]): RackError {
  const types = all.filter((progress) => !isComplete(progress)).map(({ target }) => target.plan.type)
  return new RackError('internal', `the rollout cannot go on: ${types.join(', ')}`)
}
