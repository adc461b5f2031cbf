import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

type AppHandlers = Pick<
  Handlers,
  'listApps' | 'createApp' | 'getApp' | 'deleteApp' | 'lockApp' | 'unlockApp' | 'cancelApp'
>

export function appHandlers(operations: Operations): AppHandlers {
  return {
    listApps: () => operations.listApps(),
    createApp: ({ body }) => operations.createApp(body.name),
    getApp: ({ params, control }) => operations.getApp(params.app, control),
    deleteApp: async ({ params, query, actor, control }) => {
      await operations.deleteApp(params.app, query, actor, control)
      return null
    },
    lockApp: ({ params }) => operations.setLocked(params.app, true),
    unlockApp: ({ params }) => operations.setLocked(params.app, false),
    cancelApp: ({ params, control }) => operations.cancelApp(params.app, control),
  }
}
