import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { smallestMemoryBytes, type Formation } from '../domain/manifest.ts'
import { planRelease } from '../domain/plan.ts'
import { formatBytes } from '../lib/sizes.ts'
import { changeLive, previewChange } from './change-live.ts'
import type { Context } from './context.ts'
import { findApp, liveReleaseOf } from './find.ts'
import type { FormationChanges, Promotion, PromoteResult } from './operations.ts'
import { readRelease, type Target } from './read-release.ts'

/** How many copies of each type shall run, and what each reserves. */
export async function getFormation(context: Context, app: string): Promise<Record<string, Formation>> {
  await findApp(context, app)
  return context.store.formations.get(app)
}

/** Changes the formation of the live release. @throws invalid; not-found for an unknown type; capacity */
export async function scaleProcesses(
  context: Context,
  app: string,
  changes: FormationChanges,
  control: Control,
): Promise<PromoteResult> {
  const findTarget = () => scaled(context, app, changes)
  return changeLive(context, 'scale', { app, actor: context.caller.name, findTarget }, control)
}

/** What a scale would do, with nothing touched. */
export async function planScale(
  context: Context,
  app: string,
  changes: FormationChanges,
  control: Control,
): Promise<Promotion> {
  return previewChange(context, await scaled(context, app, changes), control)
}

async function scaled(context: Context, app: string, changes: FormationChanges): Promise<Target> {
  const release = await liveReleaseOf(context, app)
  const input = await readRelease(context, app, release, { underPolicy: false })
  const { processes } = planRelease(input)
  const formation: Record<string, Formation> = {}
  for (const [type, { fromFile, ...change }] of Object.entries(changes)) {
    const processPlan = processes.find((candidate) => candidate.type === type)
    if (!processPlan) {
      throw new RackError('not-found', `${app} has no process type "${type}"`, {
        hint: `It has: ${processes.map((candidate) => candidate.type).join(', ')}`,
      })
    }
    const inFile = input.manifest.processes.find(({ name }) => name === type)?.formation
    const { count, cpuUnits, memoryBytes } = (fromFile && inFile) || processPlan
    formation[type] = { count, cpuUnits, memoryBytes, ...change }
    checkFormation(type, formation[type])
  }
  return { app, release, formation, underPolicy: false }
}

/** @throws invalid */
export function checkFormation(type: string, { count, cpuUnits, memoryBytes }: Formation): void {
  if (!Number.isInteger(count) || count < 0 || count > 10_000) {
    throw new RackError('invalid', `${type}: a count is a whole number from 0 to 10000`)
  }
  if (!Number.isInteger(cpuUnits) || cpuUnits < 2) {
    throw new RackError('invalid', `${type}: cpu is a whole number of units from 2 (1024 is one core)`)
  }
  if (!Number.isInteger(memoryBytes) || memoryBytes < smallestMemoryBytes) {
    throw new RackError('invalid', `${type}: memory is at least ${formatBytes(smallestMemoryBytes)}`)
  }
}
