import type { CopyFailure } from '../../../domain/deployment.ts'
import { RackError } from '../../../domain/error.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { maskedRefusal, type Copy, type StartError } from '../containers/copies.ts'
import { inspectCopy } from '../containers/found-copy.ts'
import { readTimedLines } from '../logs/frames.ts'
import type { EngineParts } from '../parts.ts'

type Signalled = { signal: AbortSignal }

/** How many of a copy's last lines a failure carries. */
const lastLineCount = 20

/** The newest lines that a container has printed, oldest first. */
export async function lastLines({ docker }: EngineParts, copy: Copy, control: Signalled): Promise<string[]> {
  const found = await inspectCopy(docker, copy.container, control)
  const query = { stdout: true, stderr: true, timestamps: true, tail: lastLineCount }
  const stream = await docker.stream({ path: `/containers/${copy.container}/logs`, query }, control)
  const lines = await Array.fromAsync(readTimedLines(stream, found?.isTty ?? false))
  return lines.map(({ text }) => text).slice(-lastLineCount)
}

/** The error of a deploy that changed nothing. @param advice what to type, where more is known than the reason */
export function deployFailed(failures: CopyFailure[], advice?: string): RackError {
  const [first] = failures as [CopyFailure]
  return new RackError('deploy-failed', `${first.type}: ${whyText(first)}`, {
    hint: advice ? `${kept} ${advice}` : hintOf(first),
    details: failures,
  })
}

/** The error of a deploy whose container the engine did not make or start. */
export function startFailed(plan: Pick<ProcessPlan, 'type' | 'environment'>, error: StartError): RackError {
  const about = { reason: 'not-started' as const, exitCode: null, lastLines: [] }
  const { message: probe, hint } = maskedRefusal(plan, error)
  return deployFailed([{ process: error.process, type: plan.type, ...about, probe }], hint)
}

const kept = 'What ran before still runs.'

function whyText({ reason, exitCode, probe, process }: CopyFailure): string {
  switch (reason) {
    case 'exited':
      return `the process ${process} exited with ${exitCode} before it was healthy`
    case 'out-of-memory':
      return `the process ${process} was killed for want of memory (${exitCode})`
    case 'not-healthy':
      return `the process ${process} never became healthy${probe ? `: ${probe}` : ''}`
    case 'not-started':
      return `the process could not be started${probe ? `: ${probe}` : ''}`
    case 'command-failed':
      return `the release command exited with ${exitCode}`
  }
}

function hintOf({ reason, type, probe }: CopyFailure): string {
  switch (reason) {
    case 'exited':
      return `${kept} Its last lines say why; try it by hand with: rack run ${type} -- sh`
    case 'out-of-memory':
      return `${kept} Give it more memory: rack scale ${type} --memory SIZE`
    case 'not-healthy':
      return `${kept} ${probeHint(probe)}`
    case 'not-started':
      return `${kept} Look at command, entrypoint, user, group_add, sysctls and ulimits of ${type} in the compose file.`
    case 'command-failed':
      return `${kept} Its last lines say why.`
  }
}

function probeHint(probe: string | null): string {
  if (probe?.includes('connection refused')) {
    return 'Does it listen on that port, on 0.0.0.0 and not on 127.0.0.1? The variable PORT holds the port.'
  }
  if (probe?.includes('answered'))
    return 'The label rack.health.path names the path that must answer 2xx or 3xx.'
  return 'A slow start needs a longer grace: the label rack.health.grace, in seconds.'
}
