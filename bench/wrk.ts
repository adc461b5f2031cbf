import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ratioOf } from './interleaved.ts'
import { median, row } from './statistics.ts'

const execute = promisify(execFile)

interface Asking {
  host: string
  seconds: number
  /** False for a connection, and by https a handshake, for each. */
  keepAlive?: boolean
}

/** By 32 connections of wrk. @throws Error when one is not answered well */
export async function requestsPerSecond(
  url: string,
  { host, seconds, keepAlive = true }: Asking,
): Promise<number> {
  const headers = ['-H', `Host: ${host}`, ...(keepAlive ? [] : ['-H', 'Connection: close'])]
  const { stdout } = await execute('wrk', ['-t2', '-c32', `-d${seconds}s`, ...headers, url])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`errors from ${url}:\n${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}

/** The ratio is the median of the rounds' own: what else the machine does changes from round to round. */
export function compareRates(name: string, ours: number[], theirs: number[], aim: string): string {
  return row(name, median(ours).toFixed(0), median(theirs).toFixed(0), ratioOf(ours, theirs), aim)
}
