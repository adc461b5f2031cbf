import { RackError } from '../../../domain/error.ts'
import type { FailedStep } from './build-log.ts'
import { writtenLine, writtenText, type AddedLines } from './named-stages.ts'
import { isPrivate } from './pull-image.ts'
import { lineOfStep, syntaxImage, type Instruction } from './dockerfile.ts'

/** What `details` of a `build-failed` holds. */
export interface BuildFailure {
  processes: string[]
  /** `[3/5] RUN npm ci`; null when no step had begun. */
  step: string | null
  /** Of the Dockerfile. */
  line: number | null
  exitCode: number | null
  /** The last lines of the step's output. */
  tail: string[]
}

export interface FailedBuild {
  processes: string[]
  build: string
  /** From the source directory; null when the compose file holds it. */
  dockerfile: string | null
  dockerfileText: string
  added: AddedLines
  instructions: Instruction[]
  /** What the engine said at the end. */
  message: string
  exitCode: number | null
  step: FailedStep | null
}

/**
 * Says which type, which step and which line of its Dockerfile failed. The engine tells all of this in words only, so
 * words are what is looked at.
 */
export function buildFailed(failed: FailedBuild): RackError {
  const { processes, step, message } = failed
  const [type = ''] = processes
  // The engine's own words, or those of a command of the step that wrote into its layer.
  if ([message, ...(step?.tail ?? [])].some((text) => /no space left on device/i.test(text))) {
    return new RackError('disk-full', `${type}: the disk of Docker Engine is full`, {
      // The context and the steps of the failed build lie in the cache.
      hint: 'Make some room on its disk, then give the cache of builds back: rack prune --build-cache',
      details: { processes, step: step?.step ?? null },
    })
  }
  const exitCode = failed.exitCode ?? exitCodeIn(step?.error ?? message)
  const found = (step && lineOfStep(failed.instructions, step.step)) ?? lineIn(message)
  const line = found === null ? null : writtenLine(found, failed.added)
  const why = exitCode === null ? plain(step?.error ?? message) : `exit code ${exitCode}`
  const details: BuildFailure = {
    processes,
    step: step?.step ?? null,
    line,
    exitCode,
    tail: step?.tail ?? [],
  }
  const text = step ? `${type}: step ${shorten(step.step)} failed: ${why}` : `${type}: ${why}`
  return new RackError('build-failed', text, { hint: hintFor(failed, line), details })
}

function hintFor(failed: FailedBuild, line: number | null): string {
  const { step, message, build, dockerfileText } = failed
  const syntax = syntaxImage(dockerfileText)
  if (syntax !== null && message.includes('gateway.v0')) {
    return `The line "# syntax=${syntax}" is fetched from a registry, which did not give it: remove the line.`
  }
  if (step?.step.includes('load metadata for') || /pull access denied|manifest unknown/.test(message)) {
    const where = placeOf(failed, null)
    const why = isPrivate(message)
      ? 'gives it to who has a login alone (rack registries add HOST --username NAME), or has none of that name'
      : 'did not give it'
    return `A base image is not on this machine, and its registry ${why}: look at FROM in ${where}.`
  }
  return `Look at ${placeOf(failed, line)}; the whole log: rack builds logs ${build}`
}

/** Lines of a Dockerfile inside a compose file have other numbers there: the line itself is said. */
function placeOf({ dockerfile, dockerfileText, added, processes }: FailedBuild, line: number | null): string {
  if (dockerfile !== null) return line === null ? dockerfile : `${dockerfile}:${line}`
  const place = `build.dockerfile_inline of ${processes.join(', ')}`
  if (line === null) return place
  return `line ${line} of ${place}, "${shorten(writtenText(dockerfileText, added).split(/\r?\n/)[line - 1]?.trim() ?? '')}"`
}

function exitCodeIn(text: string): number | null {
  const found = /exit code: (\d+)/.exec(text)
  return found ? Number(found[1]) : null
}

function lineIn(text: string): number | null {
  const found = /parse error (?:on )?line (\d+)/i.exec(text)
  return found ? Number(found[1]) : null
}

function shorten(step: string): string {
  return step.length > 160 ? `${step.slice(0, 160)}…` : step
}

/** Without the names of BuildKit's inner parts. */
function plain(text: string): string {
  return text
    .replace(/^(?:failed to (?:solve|create LLB definition)(?: with frontend [\w.]+)?: )+/, '')
    .trim()
}
