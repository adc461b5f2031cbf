import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

type ProcessHandlers = Pick<
  Handlers,
  'listProcesses' | 'getProcess' | 'stopProcess' | 'execProcess' | 'attachProcess' | 'runProcess'
>

export function processHandlers(operations: Operations): ProcessHandlers {
  return {
    listProcesses: ({ params, query, control }) => operations.listProcesses(params.app, query, control),
    getProcess: ({ params, control }) => operations.getProcess(params.app, params.process, control),
    stopProcess: async ({ params, control }) => {
      await operations.stopProcess(params.app, params.process, control)
      return null
    },
    execProcess: ({ params, query, terminal, control }) => {
      const exec = { process: params.process, command: query.command }
      return operations.execProcess(params.app, exec, terminal, control)
    },
    attachProcess: async ({ params, query, terminal, control, started }) => {
      const { type, command, release = null, timeoutMs = null } = query
      const request = { type, command, release, timeoutMs }
      const running = await operations.runProcess(params.app, request, terminal, control)
      started(running.process)
      return await running.exit
    },
    runProcess: async ({ params, body, control }) => {
      const running = await operations.runProcess(params.app, body, null, control)
      // It goes on by itself; how it ended is told by the list of processes.
      running.exit.catch(() => undefined)
      return running.process
    },
  }
}
