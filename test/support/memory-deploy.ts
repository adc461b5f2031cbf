import type { CopyFailure, Receipt, TraceEntry } from '../../src/domain/deployment.ts'
import type { Control } from '../../src/domain/control.ts'
import { RackError } from '../../src/domain/error.ts'
import { copyRules, type CopyRule } from '../../src/domain/copy-identity.ts'
import type { Plan, ProcessPlan } from '../../src/domain/plan.ts'
import { abortable } from '../../src/lib/deadline.ts'
import { startCopy, type MemoryCopy } from './memory-copy.ts'
import { failure, passGate } from './memory-gate.ts'
import type { MemoryLog } from './memory-log.ts'

export interface MemoryApp {
  plan: Plan | null
  /** The copies that serve. */
  copies: MemoryCopy[]
  /** Started by a deploy that is not through yet, and one-offs. */
  others: Set<MemoryCopy>
}

interface Deploy {
  app: MemoryApp
  plan: Plan
  log: MemoryLog
  settleMs: number
  control: Control
  rules: Map<string, CopyRule>
  undo: AsyncDisposableStack
}

/** Makes a plan live, all types together, or leaves everything as it was. */
export async function deployInMemory(deploy: Omit<Deploy, 'undo' | 'rules'>): Promise<Receipt> {
  const { app, plan, control } = deploy
  const began = performance.now()
  await using undo = new AsyncDisposableStack()
  control.signal.throwIfAborted()
  const rules = copyRules(plan)
  const kept = plan.processes.map((type) => keptCopies(app, type, rules.get(type.type)!))
  const trace: TraceEntry[] = []
  const live: MemoryCopy[] = kept.flat()
  for (const [index, type] of inOrder(plan.processes)) {
    const startMs = performance.now() - began
    live.push(...(await startType({ ...deploy, rules, undo }, type, kept[index]!)))
    const endMs = performance.now() - began
    trace.push({ phase: 'start', process: type.type, startMs, endMs })
    const at = { phase: 'start', process: type.type, time: new Date().toISOString() }
    control.report({ type: 'phase', state: 'ended', ms: endMs - startMs, ...at })
  }
  control.signal.throwIfAborted()
  undo.move()
  const old = app.copies.filter((copy) => !live.includes(copy))
  for (const copy of live) {
    copy.keep()
    app.others.delete(copy)
  }
  app.copies = live
  app.plan = plan
  await Promise.all(old.map((copy) => copy.halt('stopped')))
  const typesKept = plan.processes.filter((type, index) => kept[index]!.length > 0 || type.count === 0)
  const hadCopies = ({ type }: ProcessPlan) => old.some((copy) => copy.plan.type === type)
  const changed = plan.processes.filter((type) => !typesKept.includes(type))
  const names = (types: ProcessPlan[]) => types.map(({ type }) => type)
  return {
    requests: 0,
    failed: 0,
    longestStallMs: null,
    started: names(changed.filter((type) => !hadCopies(type))),
    replaced: names(changed.filter(hadCopies)),
    kept: names(typesKept),
    trace,
  }
}

/** Copies of the type that the plan leaves alone, at most its count. */
function keptCopies(app: MemoryApp, { type, count }: ProcessPlan, rule: CopyRule): MemoryCopy[] {
  const { identity, replaceBefore } = rule
  const stays = ({ plan, process, identity: own }: MemoryCopy) =>
    plan.type === type &&
    own === identity &&
    (replaceBefore === null || Date.parse(process.started ?? '') >= Date.parse(replaceBefore))
  return app.copies.filter(stays).slice(0, count)
}

async function startType(deploy: Deploy, type: ProcessPlan, kept: MemoryCopy[]): Promise<MemoryCopy[]> {
  const { app, undo } = deploy
  if (type.releaseCommand && app.plan?.release !== deploy.plan.release) await runReleaseCommand(deploy, type)
  const missing = type.count - kept.length
  if (missing > 0 && type.stopFirst) {
    for (const copy of app.copies.filter((each) => each.plan.type === type.type && !kept.includes(each))) {
      undo.defer(() => copy.resume())
      await copy.halt('stopped')
    }
  }
  const copies = Array.from({ length: Math.max(0, missing) }, () =>
    begin(deploy, type, 'process', type.command),
  )
  const gates = copies.map((copy) => passGate(copy, { ...deploy, signal: deploy.control.signal }))
  const failures = (await Promise.all(gates)).filter((outcome) => outcome !== null)
  const isAwaited = deploy.plan.processes.some(({ after }) =>
    after.some((dependency) => dependency.type === type.type && dependency.condition === 'completed'),
  )
  if (isAwaited && failures.length === 0) failures.push(...(await failedCompletions(deploy, copies)))
  if (failures.length > 0) throw deployFailed(failures)
  return copies
}

async function failedCompletions(deploy: Deploy, copies: MemoryCopy[]): Promise<CopyFailure[]> {
  const codes = await abortable(Promise.all(copies.map(({ ended }) => ended)), deploy.control.signal)
  return copies.filter((_, index) => codes[index] !== 0).map((copy) => failure(copy, 'exited', deploy))
}

async function runReleaseCommand(deploy: Deploy, type: ProcessPlan): Promise<void> {
  const copy = begin(deploy, type, 'release-command', type.releaseCommand)
  if ((await abortable(copy.ended, deploy.control.signal)) !== 0)
    throw deployFailed([failure(copy, 'command-failed', deploy)])
  deploy.app.others.delete(copy)
}

function begin(
  deploy: Deploy,
  plan: ProcessPlan,
  kind: 'process' | 'release-command',
  command: string[] | null,
) {
  const { app, undo, log, rules } = deploy
  const { app: name, release } = deploy.plan
  const about = { app: name, release, kind, plan, identity: rules.get(plan.type)!.identity }
  const copy = startCopy({ ...about, command: command ?? [], terminal: null, log })
  app.others.add(copy)
  undo.defer(async () => {
    await copy.halt('killed')
    app.others.delete(copy)
  })
  return copy
}

function deployFailed(failures: CopyFailure[]): RackError {
  const [{ type, reason, exitCode, probe }] = failures as [CopyFailure]
  const why = exitCode === null ? (probe ?? reason) : `${reason} (${exitCode})`
  return new RackError('deploy-failed', `${type}: ${why}`, {
    details: failures,
    hint: 'What ran before still runs. See the last lines of its log: rack logs',
  })
}

/** Types after those they wait for; a circle is broken where it closes. */
function inOrder(types: ProcessPlan[]): [index: number, type: ProcessPlan][] {
  const placed = new Map<string, [number, ProcessPlan]>()
  const visiting = new Set<string>()
  const place = (name: string) => {
    const index = types.findIndex(({ type }) => type === name)
    const type = types[index]
    if (!type || placed.has(name) || visiting.has(name)) return
    visiting.add(name)
    for (const dependency of type.after) place(dependency.type)
    placed.set(name, [index, type])
  }
  for (const { type } of types) place(type)
  return [...placed.values()]
}
