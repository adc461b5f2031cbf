import type { Problem } from '../contract/problem.ts'

/** What `rack dial-stdio` says before anything is carried, so that two that do not fit know it before a token is sent. */
export interface Greeting {
  /** Of what follows. */
  protocol: number
  /** Of the program. */
  version: string
  /** The account that it runs as, and the address that its ssh names; null where it was not started by ssh. */
  user: string
  from: string | null
  /** Why nothing follows. */
  problem?: Pick<Problem, 'code' | 'detail' | 'hint'>
}

export const dialProtocol = 1
const mark = 'rack-dial-stdio '
/** What shells say when they start may come before it. */
export const mostBeforeGreeting = 64 * 1024

export function greetingLine(greeting: Greeting): string {
  return `${mark}${JSON.stringify(greeting)}\n`
}

/** Null for any other line. */
export function readGreeting(line: string): Greeting | null {
  if (!line.startsWith(mark)) return null
  try {
    const said = JSON.parse(line.slice(mark.length)) as Partial<Greeting>
    if (typeof said.protocol !== 'number' || typeof said.version !== 'string') return null
    const { protocol, version, user = '', from = null, problem } = said
    return { protocol, version, user, from, ...(problem && { problem }) }
  } catch {
    return null
  }
}
