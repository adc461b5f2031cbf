import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'
import { defaultLimit } from './default-limit.ts'

type ReleaseHandlers = Pick<
  Handlers,
  | 'listReleases'
  | 'diffReleases'
  | 'getRelease'
  | 'releaseManifest'
  | 'planPromotion'
  | 'promoteRelease'
  | 'rollbackRelease'
>

export function releaseHandlers(operations: Operations): ReleaseHandlers {
  return {
    listReleases: ({ params, query }) => operations.listReleases(params.app, query.limit ?? defaultLimit),
    diffReleases: ({ params, query }) => operations.diffReleases(params.app, query),
    getRelease: ({ params }) => operations.getRelease(params.app, params.release),
    releaseManifest: async ({ params }) => ({
      text: await operations.releaseManifest(params.app, params.release),
    }),
    planPromotion: ({ params, control }) => operations.planPromotion(params.app, params.release, control),
    promoteRelease: ({ params, actor, control }) =>
      operations.promoteRelease(params.app, params.release, actor, control),
    rollbackRelease: ({ params, actor, control }) => {
      const release = params.release === 'previous' ? null : params.release
      return operations.rollbackRelease(params.app, release, actor, control)
    },
  }
}
