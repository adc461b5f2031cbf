import type { Client } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import type { AppProcess } from '../domain/process.ts'
import { findProcess } from './commands/ps.ts'
import type { Session } from './session.ts'

/**
 * The process of an id in any app, or the running copy of a type of the command's app: of several the newest, which is said.
 * @throws not-found
 */
export async function findCopy(session: Session, client: Client, word: string): Promise<AppProcess> {
  if (/^P[A-Z]{10}$/.test(word)) return await findProcess(session, client, word)
  const { name: app } = session.app()
  const found = await client.listProcesses({ params: { app }, query: { type: word } })
  const running = found.filter(({ status, kind }) => status === 'running' && kind === 'process')
  const [newest, ...others] = running.toSorted((a, b) => ((a.started ?? '') < (b.started ?? '') ? 1 : -1))
  if (newest === undefined) {
    throw new RackError('not-found', `${app} runs no process "${word}"`, { hint: `rack ps --app ${app}` })
  }
  if (others.length > 0) {
    const ids = others.map(({ id }) => id).join(', ')
    session.output.say(`${word} has ${running.length} copies; this is ${newest.id}, the newest (not ${ids})`)
  }
  return newest
}
