import type { Handlers } from '../handlers.ts'

type ProcessHandlers = Pick<
  Handlers,
  | 'listProcesses'
  | 'getProcess'
  | 'readUsage'
  | 'stopProcess'
  | 'execProcess'
  | 'readFiles'
  | 'writeFiles'
  | 'connectInside'
  | 'attachProcess'
  | 'runProcess'
>

export const processHandlers: ProcessHandlers = {
  listProcesses: ({ operations, params, query, control }) =>
    operations.listProcesses(params.app, query, control),
  getProcess: ({ operations, params, control }) => operations.getProcess(params.app, params.process, control),
  readUsage: ({ operations, query, control }) => operations.readUsage(query, control),
  stopProcess: async ({ operations, params, control }) => {
    await operations.stopProcess(params.app, params.process, control)
    return null
  },
  execProcess: ({ operations, params, query, terminal, control }) => {
    const exec = { process: params.process, command: query.command }
    return operations.execProcess(params.app, exec, terminal, control)
  },
  readFiles: ({ operations, params, query, out, control }) =>
    operations.copyFiles(params.app, { ...params, ...query, archive: { out } }, control),
  writeFiles: async ({ operations, params, query, content, control }) => {
    await operations.copyFiles(params.app, { ...params, ...query, archive: { in: content } }, control)
    return null
  },
  connectInside: ({ operations, params, query, control }) =>
    operations.connectInside(params.app, query, control),
  attachProcess: async ({ operations, params, query, terminal, control, started }) => {
    const { type, command, release = null, timeoutMs = null } = query
    const request = { type, command, release, timeoutMs }
    const running = await operations.runProcess(params.app, request, terminal, control)
    started(running.process)
    return await running.exit
  },
  runProcess: async ({ operations, params, body, control }) => {
    const running = await operations.runProcess(params.app, body, null, control)
    // It goes on by itself; how it ended is told by the list of processes.
    running.exit.catch(() => undefined)
    return running.process
  },
}
