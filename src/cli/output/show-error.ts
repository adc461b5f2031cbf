import { errorCodes, RackError } from '../../domain/error.ts'
import type { CopyFailure } from '../../domain/deployment.ts'
import type { Problem } from '../../domain/manifest.ts'
import type { Output } from './output.ts'

export interface ErrorStyle {
  isJson: boolean
  /** A stream of NDJSON ends with its error, on stdout; any other reply leaves stdout empty. */
  isStream: boolean
}

/** Says what failed, why and what to type; returns the exit code. */
export async function showError(output: Output, error: unknown, style: ErrorStyle): Promise<number> {
  const known = error instanceof RackError ? error : unexpected(error)
  if (style.isJson) {
    const record = { type: 'error', error: errorRecord(known) }
    if (style.isStream) output.record(record)
    else output.sayRecord(record)
  } else {
    for (const line of describeError(known)) output.say(line)
    if (known.hint) output.say(output.colors.say.dim(`→ ${known.hint}`))
    if (known.code === 'internal' && error instanceof Error && error !== known) output.say(error.stack ?? '')
  }
  return errorCodes[known.code].exit
}

/** An error in the words of the API. */
export function errorRecord({ code, message, hint, details, requestId }: RackError) {
  return { code, detail: message, hint, details, requestId }
}

/** Lines for a person, without the hint. */
export function describeError({ code, message, details, requestId }: RackError): string[] {
  const first = `error: ${message}`
  if (code === 'manifest-invalid' && isList<Problem>(details, 'position') && !message.includes('\n')) {
    return [first, ...details.map(problemText)]
  }
  if (code === 'deploy-failed' && isList<CopyFailure>(details, 'reason')) {
    return [first, ...details.flatMap((failure) => failureLines(failure, message))]
  }
  return code === 'internal' && requestId ? [first, `  request ${requestId}`] : [first]
}

function problemText({ severity, position, path, message, hint }: Problem): string {
  const place = `${position.file}:${position.line}:${position.column}`
  return `  ${place}: ${severity}: ${path === '' ? '' : `${path}: `}${message}${hint ? `; ${hint}` : ''}`
}

/** What the message has said already is not said again. */
function failureLines(failure: CopyFailure, message: string): string[] {
  const { process: copy, type, reason, exitCode, probe, lastLines } = failure
  const exit = exitCode === null ? '' : ` with ${exitCode}`
  const head = `  ${type} ${copy}: ${reason.replaceAll('-', ' ')}${exit}`
  const said = (text: string) => message.includes(text)
  return [
    head,
    ...(probe === null || said(probe) ? [] : [`    probe: ${probe}`]),
    ...lastLines.filter((line) => !said(line)).map((line) => `    | ${line}`),
  ]
}

function isList<T>(value: unknown, key: keyof T & string): value is T[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((item) => typeof item === 'object' && item !== null && key in item)
  )
}

function unexpected(error: unknown): RackError {
  if (error instanceof Error && error.name === 'AbortError') {
    return new RackError('cancelled', 'cancelled', { cause: error })
  }
  const message = error instanceof Error ? error.message : String(error)
  return new RackError('internal', `unexpected: ${message}`, { cause: error })
}
