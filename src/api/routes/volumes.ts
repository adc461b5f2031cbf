import type { Handlers } from '../handlers.ts'

type VolumeHandlers = Pick<
  Handlers,
  'listVolumes' | 'getVolume' | 'deleteVolume' | 'backupVolume' | 'dumpVolume' | 'restoreVolume'
>

export const volumeHandlers: VolumeHandlers = {
  listVolumes: ({ operations, query, control }) => operations.listVolumes(query, control),
  getVolume: ({ operations, params, query, control }) =>
    operations.getVolume(params.app, params.volume, query, control),
  deleteVolume: async ({ operations, params, control }) => {
    await operations.deleteVolume(params.app, params.volume, control)
    return null
  },
  backupVolume: ({ operations, params, query, control }) =>
    operations.backupVolume(params.app, { volume: params.volume, ...query }, control),
  dumpVolume: ({ operations, params, query, out, control }) =>
    operations.dumpVolume(params.app, { volume: params.volume, ...query }, out, control),
  restoreVolume: ({ operations, params, body, control }) =>
    operations.restoreVolume(params.app, params.volume, body, control),
}
