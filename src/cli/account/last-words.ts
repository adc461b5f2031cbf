import { lastDaemonLines } from '../../account/daemon-log.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import type { Session } from '../session.ts'

const lastWordsMs = 30_000
const lastLines = 20

/** A daemon that does not come up says why in its log, which may go with its stacks. Throws nothing. */
export async function tellLastWords(
  { output }: Pick<Session, 'output'>,
  account: Pick<OpenAccount, 'clients'>,
  rack: string,
): Promise<void> {
  const signal = AbortSignal.timeout(lastWordsMs)
  const lines = await lastDaemonLines(account, rack, { signal, count: lastLines }).catch((error: unknown) => [
    `its log cannot be read: ${String(error)}`,
  ])
  if (lines.length === 0) return
  output.say('what the daemon has said last:')
  for (const line of lines) output.say(output.colors.say.dim(`  ${line}`))
}
