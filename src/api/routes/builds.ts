import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'
import { defaultLimit } from './default-limit.ts'

type BuildHandlers = Pick<
  Handlers,
  'buildApp' | 'listBuilds' | 'getBuild' | 'buildLog' | 'cancelBuild' | 'deleteBuild'
>

export function buildHandlers(operations: Operations): BuildHandlers {
  return {
    buildApp: ({ params, query, content, actor, control }) => {
      const upload = { content, description: query.description ?? null, noCache: query.noCache }
      return operations.buildApp(params.app, upload, actor, control)
    },
    listBuilds: ({ params, query }) => operations.listBuilds(params.app, query.limit ?? defaultLimit),
    getBuild: ({ params }) => operations.getBuild(params.app, params.build),
    buildLog: ({ params, query, control }) => operations.buildLog(params.app, params.build, query, control),
    cancelBuild: ({ params, control }) => operations.cancelBuild(params.app, params.build, control),
    deleteBuild: async ({ params }) => {
      await operations.deleteBuild(params.app, params.build)
      return null
    },
  }
}
