import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { withDeadline } from '../../../../src/lib/deadline.ts'
import { tcpProblem } from '../../../../src/lib/tcp-answers.ts'
import type { Target } from '../../links.ts'
import type { HealthSettings } from '../state.ts'

export interface ProbeResult {
  isGood: boolean
  /** As in DescribeTargetHealth. */
  reason?: 'Target.Timeout' | 'Target.ResponseCodeMismatch' | 'Target.FailedHealthChecks'
  description?: string
}

/** Processes are not faster than they are, however fast the account's clock is. */
const leastTimeoutMs = 1000

/** Whether a status is among `200-399,404`. */
function isAmong(status: number, matcher: string): boolean {
  return matcher.split(',').some((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return status >= first! && status <= last!
  })
}

/** Asks a target once, as a balancer does. */
export async function probe(
  target: Target,
  health: HealthSettings,
  { factor, signal }: { factor: number; signal: AbortSignal },
): Promise<ProbeResult> {
  const deadlineMs = Math.max((health.timeoutSeconds * 1000) / factor, leastTimeoutMs)
  const port = health.port === 'traffic-port' ? target.port : Number(health.port)
  const to = { host: target.address, port }
  if (health.protocol === 'TCP') {
    return (await tcpProblem(to, { deadlineMs, signal })) === null ? { isGood: true } : failed
  }
  try {
    const status = await withDeadline({ deadlineMs, what: 'a check', signal }, (signal) =>
      statusOf(to, health, signal),
    )
    if (isAmong(status, health.matcher)) return { isGood: true }
    // The words are AWS's (D).
    const description = `Health checks failed with these codes: [${status}]`
    return { isGood: false, reason: 'Target.ResponseCodeMismatch', description }
  } catch (error) {
    if (signal.aborted) throw error
    const isLate = (error as Error).name === 'DeadlineError' || (error as Error).name === 'AbortError'
    return isLate ? { isGood: false, reason: 'Target.Timeout', description: 'Request timed out' } : failed
  }
}

const failed: ProbeResult = {
  isGood: false,
  reason: 'Target.FailedHealthChecks',
  description: 'Health checks failed',
}

async function statusOf(
  { host, port }: { host: string; port: number },
  { protocol, path }: HealthSettings,
  signal: AbortSignal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const send = protocol === 'HTTPS' ? httpsRequest : httpRequest
  // A balancer takes any certificate of a target (D).
  const options = { host, port, path, agent: false, signal, rejectUnauthorized: false }
  const request = send({ ...options, headers: { 'user-agent': 'ELB-HealthChecker/2.0' } }, (response) => {
    resolve(response.statusCode ?? 0)
    response.on('error', () => undefined).destroy()
  })
  request.on('error', reject).end()
  return await promise
}
