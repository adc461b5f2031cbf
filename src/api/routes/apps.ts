import type { Handlers } from '../handlers.ts'

type AppHandlers = Pick<
  Handlers,
  'listApps' | 'createApp' | 'getApp' | 'deleteApp' | 'lockApp' | 'unlockApp' | 'cancelApp'
>

export const appHandlers: AppHandlers = {
  listApps: ({ operations }) => operations.listApps(),
  createApp: ({ operations, body }) => operations.createApp(body.name),
  getApp: ({ operations, params, control }) => operations.getApp(params.app, control),
  deleteApp: async ({ operations, params, query, control }) => {
    await operations.deleteApp(params.app, query, control)
    return null
  },
  lockApp: ({ operations, params }) => operations.setLocked(params.app, true),
  unlockApp: ({ operations, params }) => operations.setLocked(params.app, false),
  cancelApp: ({ operations, params, control }) => operations.cancelApp(params.app, control),
}
