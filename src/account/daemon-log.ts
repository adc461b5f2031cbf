import type { AwsClients } from '../aws/clients.ts'
import { isAwsError } from '../aws/errors.ts'
import type { Control } from '../domain/control.ts'

/** A task that failed has said why in its last minutes. */
const lookedBackMs = 1_800_000

/** The last lines of the daemon of a rack inside an account, oldest first; none where it has no log. */
export async function lastDaemonLines(
  { clients: { logs } }: { clients: Pick<AwsClients, 'logs'> },
  rack: string,
  { signal, count }: Pick<Control, 'signal'> & { count: number },
): Promise<string[]> {
  const lines: string[] = []
  let nextToken: string | undefined
  try {
    do {
      const page = await logs.filterLogEvents(
        {
          logGroupName: `/rack/${rack}/_daemon`,
          startTime: Date.now() - lookedBackMs,
          ...(nextToken && { nextToken }),
        },
        { abortSignal: signal },
      )
      lines.push(...(page.events ?? []).map(({ message = '' }) => message.trimEnd()))
      lines.splice(0, lines.length - count)
      nextToken = page.nextToken
    } while (nextToken)
  } catch (error) {
    if (!isAwsError(error, 'ResourceNotFoundException')) throw error
  }
  return lines
}
