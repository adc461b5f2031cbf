import type { Control } from '../domain/control.ts'
import type { Duplex } from '../domain/engine.ts'
import { codeOf } from '../domain/error.ts'
import type { Owner } from '../domain/owner.ts'
import type { PortToAsk } from '../domain/ports-to-ask.ts'
import { DeadlineError, withDeadline } from '../lib/deadline.ts'
import type { Context } from './context.ts'

/** What is sent to a port that nobody has named: the least that HTTP wants, with the name that a probe of ours has. */
const question =
  'GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: rack\r\nAccept: */*\r\nConnection: close\r\n\r\n'
const answerDeadlineMs = 2000
/** Of the answer: its first line is all that is looked at. */
const mostBytes = 1024
/** More processes are asked one after the other. */
const mostPorts = 20

/**
 * Asks ports of an app that is live whether they speak HTTP, all at once and each once. Never throws: what cannot be found
 * out is null.
 */
export async function askPorts(
  context: Pick<Context, 'engine' | 'log'>,
  owner: Owner,
  ports: PortToAsk[],
  control: Control,
): Promise<Map<string, boolean | null>> {
  const answers = ports.slice(0, mostPorts).map(async ({ process, container }) => {
    const address = { owner, host: process, port: container }
    try {
      return [process, await speaksHttp(context, address, control)] as const
    } catch (error) {
      const facts = { code: codeOf(error), app: owner.name }
      context.log('info', `${process}:${container} could not be asked what it speaks`, facts)
      return [process, null] as const
    }
  })
  return new Map(await Promise.all(answers))
}

/** Silence, and an end without a word, are answers too: HTTP answers what it is asked. */
async function speaksHttp(
  { engine }: Pick<Context, 'engine'>,
  address: { owner: Owner; host: string; port: number },
  control: Control,
): Promise<boolean> {
  const connection = await engine.connect(address, control)
  const what = `an answer of ${address.host}:${address.port}`
  try {
    return await withDeadline({ deadlineMs: answerDeadlineMs, what, signal: control.signal }, () =>
      ask(connection),
    )
  } catch (error) {
    control.signal.throwIfAborted()
    if (error instanceof DeadlineError || codeOf(error) === 'unreachable') return false
    throw error
  } finally {
    connection.close()
  }
}

async function ask(connection: Duplex): Promise<boolean> {
  await connection.input(Buffer.from(question))
  let text = ''
  for await (const chunk of connection.output) {
    text += Buffer.from(chunk.subarray(0, mostBytes)).toString('latin1')
    if (text.length >= mostBytes || text.includes('\n')) break
  }
  return isAnswer(text)
}

/** 400 is what those say who want TLS there. */
function isAnswer(text: string): boolean {
  const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(text)?.[1]
  return status !== undefined && status !== '400'
}
