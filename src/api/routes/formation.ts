import type { Handlers } from '../handlers.ts'

type FormationHandlers = Pick<Handlers, 'getFormation' | 'planScale' | 'scaleProcesses' | 'restartApp'>

export const formationHandlers: FormationHandlers = {
  getFormation: ({ operations, params }) => operations.getFormation(params.app),
  planScale: ({ operations, params, body, control }) => operations.planScale(params.app, body, control),
  scaleProcesses: ({ operations, params, body, control }) =>
    operations.scaleProcesses(params.app, body, control),
  restartApp: ({ operations, params, query, control }) =>
    operations.restartApp(params.app, query.type ?? null, control),
}
