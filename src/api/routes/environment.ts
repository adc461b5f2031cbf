import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

type EnvironmentHandlers = Pick<
  Handlers,
  'getEnvironment' | 'changeEnvironment' | 'replaceEnvironment' | 'diffEnvironment' | 'processEnvironment'
>

export function environmentHandlers(operations: Operations): EnvironmentHandlers {
  return {
    getEnvironment: ({ params, query }) => operations.getEnvironment(params.app, query.release),
    changeEnvironment: ({ params, body }) =>
      operations.changeEnvironment(params.app, { ...body, replace: false }),
    replaceEnvironment: ({ params, body }) =>
      operations.changeEnvironment(params.app, { set: body, unset: [], replace: true }),
    diffEnvironment: ({ params, query }) => operations.diffEnvironment(params.app, query.from, query.to),
    processEnvironment: ({ params }) => operations.processEnvironment(params.app, params.process),
  }
}
