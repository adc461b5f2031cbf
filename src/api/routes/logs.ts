import { toWireLogLine } from '../../client/contract/logs.ts'
import type { Handlers } from '../handlers.ts'

export const logHandlers: Pick<Handlers, 'appLogs' | 'rackLogs'> = {
  async *appLogs({ operations, params, query, control }) {
    for await (const line of operations.appLogs(params.app, query, control)) yield toWireLogLine(line)
  },
  async *rackLogs({ operations, query, control }) {
    for await (const line of operations.rackLogs(query, control)) yield toWireLogLine(line)
  },
}
