import { toWireLogLine } from '../../client/contract/logs.ts'
import type { Handlers } from '../handlers.ts'

type ServiceHandlers = Pick<
  Handlers,
  | 'listServices'
  | 'createService'
  | 'getService'
  | 'revealService'
  | 'setServiceUrl'
  | 'restartService'
  | 'shareService'
  | 'unshareService'
  | 'listShares'
  | 'serviceLogs'
  | 'planServiceUpdate'
  | 'updateService'
  | 'finishServiceUpdate'
  | 'cancelService'
  | 'deleteService'
  | 'listLinks'
  | 'listProcessLinks'
  | 'checkLinks'
  | 'createLink'
  | 'rotateLink'
  | 'deleteLink'
  | 'revokeLogins'
  | 'dropServiceData'
>

export const serviceHandlers: ServiceHandlers = {
  listServices: ({ operations, control }) => operations.listServices(control),
  createService: ({ operations, body, control }) => operations.createService(body, control),
  getService: ({ operations, params, control }) => operations.getService(params.service, control),
  revealService: ({ operations, params }) => operations.revealService(params.service),
  setServiceUrl: ({ operations, params, body, control }) =>
    operations.setServiceUrl(params.service, body, control),
  restartService: ({ operations, params, control }) => operations.restartService(params.service, control),
  shareService: ({ operations, params, body, control }) =>
    operations.shareService(params.service, body, control),
  unshareService: async ({ operations, params, query, control }) => {
    await operations.unshareService(params.service, query, control)
    return null
  },
  listShares: ({ operations }) => operations.listShares(),
  serviceLogs: async function* ({ operations, params, query, control }) {
    for await (const line of operations.serviceLogs(params.service, query, control)) yield toWireLogLine(line)
  },
  planServiceUpdate: ({ operations, params, query, control }) =>
    operations.planServiceUpdate(params.service, query, control),
  updateService: ({ operations, params, body, control }) =>
    operations.updateService(params.service, body, control),
  finishServiceUpdate: ({ operations, params, body, control }) =>
    operations.finishServiceUpdate(params.service, body, control),
  cancelService: ({ operations, params, control }) => operations.cancelService(params.service, control),
  deleteService: ({ operations, params, query, control }) =>
    operations.deleteService(params.service, query, control),
  listLinks: ({ operations, query }) => operations.listLinks(query),
  listProcessLinks: ({ operations, query }) => operations.listProcessLinks(query),
  checkLinks: ({ operations, body, control }) => operations.checkLinks(body, control),
  createLink: ({ operations, params, body, control }) => operations.createLink(params.app, body, control),
  rotateLink: ({ operations, params, control }) => operations.rotateLink(params.app, params.link, control),
  revokeLogins: ({ operations, params, control }) =>
    operations.revokeLogins(params.app, params.link, control),
  dropServiceData: async ({ operations, params, control }) => {
    await operations.dropServiceData(params.service, params.data, control)
    return null
  },
  deleteLink: ({ operations, params }) => operations.deleteLink(params.app, params.link),
}
