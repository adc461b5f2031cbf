import type { Handlers } from '../handlers.ts'

type RegistryHandlers = Pick<Handlers, 'listRegistries' | 'addRegistry' | 'removeRegistry'>

export const registryHandlers: RegistryHandlers = {
  listRegistries: ({ operations }) => operations.listRegistries(),
  addRegistry: ({ operations, params, body, control }) =>
    operations.addRegistry({ ...body, host: params.host }, control),
  removeRegistry: async ({ operations, params }) => {
    await operations.removeRegistry(params.host)
    return null
  },
}
