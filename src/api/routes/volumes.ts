import type { Operations } from '../../operations/operations.ts'
import type { Handlers } from '../handlers.ts'

type VolumeHandlers = Pick<Handlers, 'listVolumes' | 'getVolume' | 'deleteVolume'>

export function volumeHandlers(operations: Operations): VolumeHandlers {
  return {
    listVolumes: ({ query, control }) => operations.listVolumes(query, control),
    getVolume: ({ params, query, control }) =>
      operations.getVolume(params.app, params.volume, query, control),
    deleteVolume: async ({ params, actor, control }) => {
      await operations.deleteVolume(params.app, params.volume, actor, control)
      return null
    },
  }
}
