import type { Handlers } from '../handlers.ts'

type DomainHandlers = Pick<Handlers, 'listDomains' | 'addDomain' | 'removeDomain'>

export const domainHandlers: DomainHandlers = {
  listDomains: ({ operations, query }) => operations.listDomains(query),
  addDomain: ({ operations, params, body, control }) =>
    operations.addDomain(params.app, { name: params.domain, process: body.process }, control),
  removeDomain: async ({ operations, params, control }) => {
    await operations.removeDomain(params.app, params.domain, control)
    return null
  },
}
