import type { Handlers } from '../handlers.ts'

type EnvironmentHandlers = Pick<
  Handlers,
  'getEnvironment' | 'changeEnvironment' | 'replaceEnvironment' | 'diffEnvironment' | 'processEnvironment'
>

export const environmentHandlers: EnvironmentHandlers = {
  getEnvironment: ({ operations, params, query }) => operations.getEnvironment(params.app, query.release),
  changeEnvironment: ({ operations, params, body }) =>
    operations.changeEnvironment(params.app, { ...body, replace: false }),
  replaceEnvironment: ({ operations, params, body }) =>
    operations.changeEnvironment(params.app, { set: body, unset: [], replace: true }),
  diffEnvironment: ({ operations, params, query }) =>
    operations.diffEnvironment(params.app, query.from, query.to),
  processEnvironment: ({ operations, params }) => operations.processEnvironment(params.app, params.process),
}
