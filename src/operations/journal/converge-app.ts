import type { Control } from '../../domain/control.ts'
import { noReleaseCommands, type Change } from '../../domain/engine.ts'
import { appOwner } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import type { ProcessKind } from '../../domain/process.ts'
import type { Context } from '../context.ts'
import { livePlanOf } from '../read-release.ts'

/** One-offs and timers run on: nobody undoes them. */
const ofPromote: ReadonlySet<ProcessKind> = new Set(['process', 'agent', 'release-command'])

/**
 * Brings about what is live of an app; of one that never was, processes that a broken promote left are taken away and
 * its logs stay. To be called in the app's turn.
 */
export async function convergeApp(context: Context, app: string, control: Control): Promise<void> {
  const { engine } = context
  const live = await livePlanOf(context, app)
  if (live) {
    await engine.deploy(toLive(live, live), control)
    context.recovery.noteBack(app)
    return
  }
  const left = await engine.processes({ owner: appOwner(app), all: true }, control)
  if (left.some(({ kind }) => ofPromote.has(kind)))
    await engine.deploy(toLive(nothing(context, app), null), control)
}

/** What is live already runs no release command again. */
function toLive(plan: Plan, live: Plan | null): Change {
  return { plan, live, leaving: [], releaseCommands: noReleaseCommands }
}

function nothing({ rack }: Context, app: string): Plan {
  return { rack: rack.name, owner: appOwner(app), release: '', build: '', processes: [], volumes: [] }
}
