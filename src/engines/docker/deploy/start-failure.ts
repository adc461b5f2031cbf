import type { Control } from '../../../domain/control.ts'
import type { RackError } from '../../../domain/error.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { deployFailed } from '../../../rollout/failure.ts'
import { maskedRefusal, type Copy, type StartError } from '../containers/copies.ts'
import { inspectCopy } from '../containers/found-copy.ts'
import { readTimedLines } from '../logs/frames.ts'
import type { EngineParts } from '../parts.ts'

/** How many of a copy's last lines a failure carries. */
const lastLineCount = 20

/** The newest lines that a container has printed, oldest first. */
export async function lastLines(
  { docker }: EngineParts,
  { container }: Pick<Copy, 'container'>,
  control: Pick<Control, 'signal'>,
): Promise<string[]> {
  const found = await inspectCopy(docker, container, control)
  const query = { stdout: true, stderr: true, timestamps: true, tail: lastLineCount }
  const stream = await docker.stream({ path: `/containers/${container}/logs`, query }, control)
  const lines = await Array.fromAsync(readTimedLines(stream, found?.isTty ?? false))
  return lines.map(({ text }) => text).slice(-lastLineCount)
}

/** The error of a deploy whose container the engine did not make or start. */
export function startFailed(plan: Pick<ProcessPlan, 'type' | 'environment'>, error: StartError): RackError {
  const about = { reason: 'not-started' as const, exitCode: null, lastLines: [] }
  const { message: probe, hint } = maskedRefusal(plan, error)
  return deployFailed([{ process: error.process, type: plan.type, ...about, probe }], hint)
}
