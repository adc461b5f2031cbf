/** How one operation is reached. */
export interface Path {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Parameters are `:name`. */
  path: string
  kind: PathKind
  /** How long a JSON reply may take. */
  deadlineMs?: number
}

/**
 * `json`: one reply. `stream`: NDJSON of progress whose last line is `result` or `error`. `lines`: NDJSON of log lines.
 * `upload`: a stream whose request is a tar. `terminal`: a WebSocket.
 */
export type PathKind = 'json' | 'stream' | 'lines' | 'upload' | 'terminal'

const patientMs = 180_000

/** Plain data, so that the client can call without loading the schemas. */
export const paths = {
  health: { method: 'GET', path: '/v1/health', kind: 'json' },
  openapi: { method: 'GET', path: '/v1/openapi.json', kind: 'json' },

  getRack: { method: 'GET', path: '/v1/rack', kind: 'json' },
  getCapacity: { method: 'GET', path: '/v1/rack/capacity', kind: 'json' },
  getPolicy: { method: 'GET', path: '/v1/rack/policy', kind: 'json' },
  changePolicy: { method: 'PATCH', path: '/v1/rack/policy', kind: 'json' },
  prune: { method: 'POST', path: '/v1/rack/prune', kind: 'json', deadlineMs: patientMs },

  listApps: { method: 'GET', path: '/v1/apps', kind: 'json' },
  createApp: { method: 'POST', path: '/v1/apps', kind: 'json' },
  getApp: { method: 'GET', path: '/v1/apps/:app', kind: 'json' },
  deleteApp: { method: 'DELETE', path: '/v1/apps/:app', kind: 'stream' },
  lockApp: { method: 'POST', path: '/v1/apps/:app/lock', kind: 'json' },
  unlockApp: { method: 'POST', path: '/v1/apps/:app/unlock', kind: 'json' },
  cancelApp: { method: 'POST', path: '/v1/apps/:app/cancel', kind: 'json', deadlineMs: patientMs },

  buildApp: { method: 'POST', path: '/v1/apps/:app/builds', kind: 'upload' },
  listBuilds: { method: 'GET', path: '/v1/apps/:app/builds', kind: 'json' },
  getBuild: { method: 'GET', path: '/v1/apps/:app/builds/:build', kind: 'json' },
  buildLog: { method: 'GET', path: '/v1/apps/:app/builds/:build/logs', kind: 'lines' },
  cancelBuild: {
    method: 'POST',
    path: '/v1/apps/:app/builds/:build/cancel',
    kind: 'json',
    deadlineMs: patientMs,
  },
  deleteBuild: { method: 'DELETE', path: '/v1/apps/:app/builds/:build', kind: 'json' },

  listReleases: { method: 'GET', path: '/v1/apps/:app/releases', kind: 'json' },
  diffReleases: { method: 'GET', path: '/v1/apps/:app/releases/diff', kind: 'json' },
  getRelease: { method: 'GET', path: '/v1/apps/:app/releases/:release', kind: 'json' },
  releaseManifest: { method: 'GET', path: '/v1/apps/:app/releases/:release/manifest', kind: 'json' },
  planPromotion: { method: 'GET', path: '/v1/apps/:app/releases/:release/plan', kind: 'json' },
  promoteRelease: { method: 'POST', path: '/v1/apps/:app/releases/:release/promote', kind: 'stream' },
  rollbackRelease: { method: 'POST', path: '/v1/apps/:app/releases/:release/rollback', kind: 'stream' },

  getEnvironment: { method: 'GET', path: '/v1/apps/:app/environment', kind: 'json' },
  changeEnvironment: { method: 'PATCH', path: '/v1/apps/:app/environment', kind: 'json' },
  replaceEnvironment: { method: 'PUT', path: '/v1/apps/:app/environment', kind: 'json' },
  diffEnvironment: { method: 'GET', path: '/v1/apps/:app/environment/diff', kind: 'json' },
  processEnvironment: { method: 'GET', path: '/v1/apps/:app/environment/processes/:process', kind: 'json' },

  listProcesses: { method: 'GET', path: '/v1/apps/:app/processes', kind: 'json' },
  getProcess: { method: 'GET', path: '/v1/apps/:app/processes/:process', kind: 'json' },
  stopProcess: {
    method: 'DELETE',
    path: '/v1/apps/:app/processes/:process',
    kind: 'json',
    deadlineMs: patientMs,
  },
  execProcess: { method: 'GET', path: '/v1/apps/:app/processes/:process/exec', kind: 'terminal' },
  attachProcess: { method: 'GET', path: '/v1/apps/:app/run', kind: 'terminal' },
  runProcess: { method: 'POST', path: '/v1/apps/:app/run', kind: 'json', deadlineMs: patientMs },
  getFormation: { method: 'GET', path: '/v1/apps/:app/formation', kind: 'json' },
  planScale: { method: 'POST', path: '/v1/apps/:app/formation/plan', kind: 'json' },
  scaleProcesses: { method: 'PATCH', path: '/v1/apps/:app/formation', kind: 'stream' },
  restartApp: { method: 'POST', path: '/v1/apps/:app/restart', kind: 'stream' },

  listVolumes: { method: 'GET', path: '/v1/volumes', kind: 'json', deadlineMs: patientMs },
  getVolume: { method: 'GET', path: '/v1/apps/:app/volumes/:volume', kind: 'json', deadlineMs: patientMs },
  deleteVolume: {
    method: 'DELETE',
    path: '/v1/apps/:app/volumes/:volume',
    kind: 'json',
    deadlineMs: patientMs,
  },

  appLogs: { method: 'GET', path: '/v1/apps/:app/logs', kind: 'lines' },
} as const satisfies Record<string, Path>

export type OperationName = keyof typeof paths
