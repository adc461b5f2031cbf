import { toWireLogLine } from '../../client/contract/logs.ts'
import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

export function logHandlers(operations: Operations): Pick<Handlers, 'appLogs'> {
  return {
    async *appLogs({ params, query, control }) {
      for await (const line of operations.appLogs(params.app, query, control)) yield toWireLogLine(line)
    },
  }
}
