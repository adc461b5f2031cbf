import type { Handlers } from '../handlers.ts'

type AppHandlers = Pick<
  Handlers,
  | 'listApps'
  | 'createApp'
  | 'getApp'
  | 'deleteApp'
  | 'lockApp'
  | 'unlockApp'
  | 'cancelApp'
  | 'planAppExport'
  | 'exportApp'
  | 'importApp'
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
  planAppExport: ({ operations, params, query, control }) =>
    operations.planAppExport(params.app, query, control),
  exportApp: ({ operations, params, query, out, control }) =>
    operations.exportApp(params.app, query, out, control),
  importApp: ({ operations, query, content, control }) => operations.importApp(content, query, control),
  cancelApp: ({ operations, params, control }) => operations.cancelApp(params.app, control),
}
