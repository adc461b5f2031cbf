import { createHash } from 'node:crypto'
import { surgeOf } from '../../../domain/admission.ts'
import { copyIdentity, copyRules, type CopyRule } from '../../../domain/copy-identity.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import type { FoundCopy } from '../containers/found-copy.ts'

/** What must happen to the copies of one type. */
export interface TypeSteps {
  plan: ProcessPlan
  identity: string
  /** Proved, and as the plan wants them. */
  keep: FoundCopy[]
  /** As the plan wants them, but not proved yet or not running: they pass the gate (again). */
  prove: FoundCopy[]
  /** How many new ones are needed, in waves: before each, some old ones are stopped. */
  waves: Wave[]
  /** Copies that serve now and will not afterwards. */
  retire: FoundCopy[]
}

export interface Wave {
  /** Old copies to stop before the new ones start. */
  park: number
  start: number
}

export interface DeploySteps {
  /** Types of a layer start together, when those of the layers before are ready. */
  layers: TypeSteps[][]
  /** Copies of types that the plan no longer has. */
  orphans: FoundCopy[]
  /** Containers that a crash left half made, or that failed before. */
  debris: FoundCopy[]
}

/** What the label of a container says of a type that restarts with no other, such as a one-off's. */
export function identityOf(process: ProcessPlan): string {
  return digest(copyIdentity(process))
}

/** A label has no room for the whole text, which holds secrets. */
function digest(identity: string): string {
  return createHash('sha256').update(identity).digest('hex')
}

/**
 * Compares a plan with what is there. Pure; the same plan twice gives nothing to do the second time.
 * @param found every container of the app, one-offs too: those are left alone
 * @param replacing process ids that must go although the plan would keep them
 */
export function phraseDeploy(
  plan: Plan,
  found: FoundCopy[],
  replacing: ReadonlySet<string> = new Set(),
): DeploySteps {
  const copies = found.filter(({ kind }) => kind === 'process')
  const types = new Set(plan.processes.map(({ type }) => type))
  // One deploy at a time: a release command that is there was left by one that was killed.
  const forsaken = found.filter(({ kind }) => kind === 'release-command')
  const debris = [...copies.filter(isDebris), ...forsaken]
  const sound = copies.filter((copy) => !isDebris(copy))
  const rules = copyRules(plan)
  const steps = plan.processes.map((process) =>
    phraseType(
      { plan: process, rule: rules.get(process.type)! },
      sound.filter(({ type }) => type === process.type),
      replacing,
    ),
  )
  return {
    layers: layersOf(plan.processes).map((layer) => layer.map((index) => steps[index]!)),
    orphans: sound.filter(({ type }) => !types.has(type)),
    debris,
  }
}

/** Whether the steps leave every container as it is. */
export function isSettled({ layers, orphans, debris }: DeploySteps): boolean {
  const types = layers.flat()
  return orphans.length === 0 && debris.length === 0 && types.every(isTypeSettled)
}

/** Whether no copy of the type starts or goes. */
export function isTypeSettled({ prove, waves, retire }: TypeSteps): boolean {
  return prove.length === 0 && waves.length === 0 && retire.length === 0
}

function phraseType(
  { plan, rule }: { plan: ProcessPlan; rule: CopyRule },
  copies: FoundCopy[],
  replacing: ReadonlySet<string>,
): TypeSteps {
  // A copy with this label may stay, whatever release it came from.
  const identity = digest(rule.identity)
  const before = rule.replaceBefore === null ? -Infinity : Date.parse(rule.replaceBefore)
  const mayStay = (copy: FoundCopy) =>
    copy.identity === identity && copy.createdMs >= before && !replacing.has(copy.process)
  const staying = copies.filter(mayStay).sort(bySoundness(plan)).slice(0, plan.count)
  const keep = staying.filter((copy) => isProved(plan, copy))
  const prove = staying.filter((copy) => !isProved(plan, copy))
  const retire = copies.filter((copy) => !staying.includes(copy)).sort((a, b) => a.createdMs - b.createdMs)
  const serving = retire.filter(({ state }) => state === 'running').length
  return { plan, identity, keep, prove, retire, waves: wavesOf(plan, plan.count - staying.length, serving) }
}

/**
 * Splits the start of new copies so that no more than the surge run beside the old ones.
 * @param missing copies to start
 * @param old copies that still run and will go
 */
export function wavesOf(plan: ProcessPlan, missing: number, old: number): Wave[] {
  if (missing === 0) return []
  if (old === 0) return [{ park: 0, start: missing }]
  if (plan.stopFirst) return [{ park: old, start: missing }]
  const surge = surgeOf(plan)
  // Without a surge as many stop first as may be missing: one at least, or nothing would ever change.
  const room = Math.max(1, plan.count - Math.ceil((plan.count * plan.minimumPercent) / 100))
  const step = surge > 0 ? surge : room
  const waves: Wave[] = []
  for (let started = 0, parked = 0; started < missing;) {
    const start = Math.min(step, missing - started)
    const limit = surge > 0 ? old + surge : old
    const park = Math.min(old - parked, Math.max(0, old - parked + started + start - limit))
    waves.push({ park, start })
    started += start
    parked += park
  }
  return waves
}

/** A copy that has passed the gate has its plan's restart policy; it is named, and up. */
function isProved(plan: ProcessPlan, copy: FoundCopy): boolean {
  if (isCompleted(plan, copy)) return true
  if (copy.state !== 'running' && copy.state !== 'restarting') return false
  if (copy.restartPolicy !== plan.restart) return false
  // Types without a restart policy of their own show no proof but their names.
  return isNamed(plan, copy)
}

/** Whether others inside the app reach the copy by every name of its type. */
export function isNamed(plan: Pick<ProcessPlan, 'aliases'>, copy: FoundCopy): boolean {
  return plan.aliases.every((alias) => copy.aliases.includes(alias))
}

/** `restart: no` and exit 0 is the end that such a type is for; on-failure stays down after a clean exit too. */
export function isCompleted(plan: Pick<ProcessPlan, 'restart'>, copy: FoundCopy): boolean {
  return plan.restart !== 'always' && copy.state === 'exited' && copy.exitCode === 0 && wasStarted(copy)
}

function wasStarted({ startedAt }: FoundCopy): boolean {
  return Date.parse(startedAt) > 0
}

/** Never started, failed in its gate, or on its way out. */
function isDebris(copy: FoundCopy): boolean {
  if (copy.state === 'created' || copy.state === 'removing' || copy.state === 'dead') return true
  const isDown = copy.state === 'exited'
  return isDown && copy.restartPolicy === 'no' && copy.exitCode !== 0
}

function bySoundness(plan: ProcessPlan): (a: FoundCopy, b: FoundCopy) => number {
  const rank = (copy: FoundCopy) => (isProved(plan, copy) ? 0 : 1)
  return (a, b) => rank(a) - rank(b) || b.createdMs - a.createdMs
}

/** Indexes of types, those that wait for others after them; a circle is broken where it closes. */
export function layersOf(processes: Pick<ProcessPlan, 'type' | 'after'>[]): number[][] {
  const depths = new Map<string, number>()
  const depthOf = (name: string, above: ReadonlySet<string>): number => {
    const process = processes.find(({ type }) => type === name)
    if (!process || above.has(name)) return -1
    const known = depths.get(name)
    if (known !== undefined) return known
    const within = new Set([...above, name])
    const depth = 1 + Math.max(-1, ...process.after.map(({ type }) => depthOf(type, within)))
    depths.set(name, depth)
    return depth
  }
  const layers: number[][] = []
  for (const [index, { type }] of processes.entries()) (layers[depthOf(type, new Set())] ??= []).push(index)
  return layers.filter((layer) => layer !== undefined)
}
