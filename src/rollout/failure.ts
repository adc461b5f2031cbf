import type { CopyFailure } from '../domain/deployment.ts'
import type { Change } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { startPatienceMs } from '../domain/start-patience.ts'
import { formatBytes } from '../lib/sizes.ts'

/** Whose rollout has failed. */
export type FailedChange = Pick<Change, 'plan' | 'live' | 'only'>

/** The error of a deploy that changed nothing. @param advice what to type, where more is known than the reason */
export function deployFailed(failures: CopyFailure[], advice?: string): RackError {
  const [first] = failures as [CopyFailure]
  const hint = advice === undefined ? {} : { hint: advice }
  return new RackError('deploy-failed', `${first.type}: ${whyText(first)}`, { ...hint, details: failures })
}

/**
 * The same with what to type now, and what is true of those who are served.
 * @param away which types served nobody for how long; null where all went on serving
 */
export function withAdvice(ending: unknown, change: FailedChange, away: string | null): unknown {
  if (!(ending instanceof RackError) || ending.code !== 'deploy-failed') return ending
  const { code, message, details, hint } = ending
  const advice = hint ?? hintOf((details as [CopyFailure])[0], change, away !== null)
  return new RackError(code, message, { hint: `${keptText(change, away)}${advice}`, details, cause: ending })
}

function keptText({ live, only }: FailedChange, away: string | null): string {
  if (only) return ''
  if (!live) return 'Nothing of the app runs yet. '
  return away === null ? 'What ran before still runs. ' : `What ran before runs again; ${away}. `
}

function whyText({ reason, exitCode, probe, process: processId }: CopyFailure): string {
  switch (reason) {
    case 'exited':
      return `the process ${processId} exited with ${exitCode} before it was healthy`
    case 'exited-soon':
      return `the process ${processId} was healthy, and exited with ${exitCode} while it was watched`
    case 'out-of-memory':
      return `the process ${processId} was killed for want of memory (${exitCode})`
    case 'not-healthy':
      return `the process ${processId} never became healthy${probe ? `: ${probe}` : ''}`
    case 'not-started':
      return `the process could not be started${probe ? `: ${probe}` : ''}`
    case 'command-failed':
      return `the release command exited with ${exitCode}`
    case 'command-lost':
      return 'the release command was begun, and how it ended is not known'
  }
}

function hintOf({ reason, type, probe }: CopyFailure, change: FailedChange, wasAway: boolean): string {
  switch (reason) {
    case 'exited':
    case 'exited-soon':
      return `Its last lines say why; try it by hand with: rack run --release ${change.plan.release} ${type} -- sh`
    case 'out-of-memory':
      return memoryHint(type, change)
    case 'not-healthy':
      return probeHint(type, probe, change, wasAway)
    case 'not-started':
      return `Look at command, entrypoint, user, group_add, sysctls and ulimits of ${type} in the compose file.`
    case 'command-failed':
      return 'Its last lines say why.'
    case 'command-lost':
      return 'See what it did (rack logs); where nothing is to be run again: rack releases promote RELEASE --no-release-command'
  }
}

/** The file says how much a type gets until the type has run; from then on a scale does. */
function memoryHint(type: string, { plan, live }: FailedChange): string {
  if (live?.processes.some((known) => known.type === type)) {
    return `Give it more memory: rack scale ${type} --memory SIZE`
  }
  const memoryBytes = plan.processes.find((own) => own.type === type)?.memoryBytes ?? 0
  return `It may have ${formatBytes(memoryBytes)}. Give it more in the compose file: mem_limit of ${type}, or its deploy.resources.limits.memory`
}

function probeHint(type: string, probe: string | null, { plan }: FailedChange, wasAway: boolean): string {
  if (probe?.includes('connection refused')) {
    const own = plan.processes.find((processPlan) => processPlan.type === type)
    const grace = (own ? startPatienceMs(own, wasAway) : 0) / 1000
    return (
      `A start that takes longer than ${grace} s needs a longer grace: the label rack.health.grace, in seconds. Else it ` +
      'listens on another port, or on 127.0.0.1 alone: on 0.0.0.0 it is reached, and the variable PORT holds the port.'
    )
  }
  if (probe && /health check exited with (126|127)|health check .*not found/.test(probe)) {
    return `The image of ${type} does not have what its check runs. Change healthcheck.test in the compose file, install the program in the image, or do without: healthcheck: { disable: true }`
  }
  if (probe && /answered (400|403|421)/.test(probe)) {
    return 'Where it refuses the name that it is asked by, let it know that name, or choose another: the label rack.health.host. The label rack.health.path names the path that must answer 2xx or 3xx.'
  }
  if (probe?.includes('answered'))
    return 'The label rack.health.path names the path that must answer 2xx or 3xx.'
  return 'A slow start needs a longer grace: the label rack.health.grace, in seconds.'
}
