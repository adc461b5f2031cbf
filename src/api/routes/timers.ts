import type { Handlers } from '../handlers.ts'
import { defaultLimit } from './default-limit.ts'

type TimerHandlers = Pick<Handlers, 'listTimers' | 'getTimer' | 'runTimer' | 'timerHistory'>

export const timerHandlers: TimerHandlers = {
  listTimers: ({ operations, params }) => operations.listTimers(params.app),
  getTimer: ({ operations, params }) => operations.getTimer(params.app, params.timer),
  runTimer: ({ operations, params, control }) => operations.runTimer(params.app, params.timer, control),
  timerHistory: ({ operations, params, query }) => {
    const { timer, limit = defaultLimit } = query
    return operations.timerHistory(params.app, { ...(timer !== undefined && { timer }), limit })
  },
}
