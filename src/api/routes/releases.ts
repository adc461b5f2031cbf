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

export const releaseHandlers: ReleaseHandlers = {
  listReleases: ({ operations, params, query }) =>
    operations.listReleases(params.app, query.limit ?? defaultLimit),
  diffReleases: ({ operations, params, query }) => operations.diffReleases(params.app, query),
  getRelease: ({ operations, params }) => operations.getRelease(params.app, params.release),
  releaseManifest: async ({ operations, params }) => ({
    text: await operations.releaseManifest(params.app, params.release),
  }),
  planPromotion: ({ operations, params, control }) =>
    operations.planPromotion(params.app, params.release, control),
  promoteRelease: ({ operations, params, query, control }) =>
    operations.promoteRelease(params.app, params.release, query, control),
  rollbackRelease: ({ operations, params, query, control }) => {
    const release = params.release === 'previous' ? null : params.release
    return operations.rollbackRelease(params.app, release, query, control)
  },
}
