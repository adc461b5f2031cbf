import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

type FormationHandlers = Pick<Handlers, 'getFormation' | 'planScale' | 'scaleProcesses' | 'restartApp'>

export function formationHandlers(operations: Operations): FormationHandlers {
  return {
    getFormation: ({ params }) => operations.getFormation(params.app),
    planScale: ({ params, body, control }) => operations.planScale(params.app, body, control),
    scaleProcesses: ({ params, body, actor, control }) =>
      operations.scaleProcesses(params.app, body, actor, control),
    restartApp: ({ params, query, actor, control }) =>
      operations.restartApp(params.app, query.type ?? null, actor, control),
  }
}
