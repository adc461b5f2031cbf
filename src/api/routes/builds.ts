import type { Handlers } from '../handlers.ts'
import { defaultLimit } from './default-limit.ts'

type BuildHandlers = Pick<
  Handlers,
  | 'getKeptSource'
  | 'buildApp'
  | 'rebuildApp'
  | 'listBuilds'
  | 'getBuild'
  | 'buildLog'
  | 'cancelBuild'
  | 'deleteBuild'
>

export const buildHandlers: BuildHandlers = {
  getKeptSource: ({ operations, params }) => operations.getKeptSource(params.app),
  buildApp: ({ operations, params, query, content, control }) => {
    const { description = null, ...rest } = query
    const upload = { content, description, ...rest }
    return operations.buildApp(params.app, upload, control)
  },
  rebuildApp: ({ operations, params, query, control }) => {
    const { description = null, noCache } = query
    return operations.rebuildApp(params.app, params.build, { description, noCache }, control)
  },
  listBuilds: ({ operations, params, query }) =>
    operations.listBuilds(params.app, query.limit ?? defaultLimit),
  getBuild: ({ operations, params }) => operations.getBuild(params.app, params.build),
  buildLog: ({ operations, params, query, control }) =>
    operations.buildLog(params.app, params.build, query, control),
  cancelBuild: ({ operations, params, control }) => operations.cancelBuild(params.app, params.build, control),
  deleteBuild: async ({ operations, params }) => {
    await operations.deleteBuild(params.app, params.build)
    return null
  },
}
