/** How one operation is reached. */
export interface Path {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Parameters are `:name`. */
  path: string
  kind: PathKind
  /** How long a JSON reply may take. */
  deadlineMs?: number
  /** How long a download or an upload may say nothing, where that is more than usual. */
  silenceMs?: number
}

/**
 * `json`: one reply. `stream`: NDJSON of progress whose last line is `result` or `error`. `lines`: NDJSON of log lines.
 * `upload`: a stream whose request is a tar. `download`: the reply is a tar. `terminal`: a WebSocket. `connection`: one
 * that carries a byte stream.
 */
export type PathKind = 'json' | 'stream' | 'lines' | 'upload' | 'download' | 'terminal' | 'connection'

const patientMs = 180_000

/** Plain data, so that the client can call without loading the schemas. */
export const paths = {
  health: { method: 'GET', path: '/v1/health', kind: 'json' },
  openapi: { method: 'GET', path: '/v1/openapi.json', kind: 'json' },

  getRack: { method: 'GET', path: '/v1/rack', kind: 'json' },
  getCapacity: { method: 'GET', path: '/v1/rack/capacity', kind: 'json' },
  getPolicy: { method: 'GET', path: '/v1/rack/policy', kind: 'json' },
  changePolicy: { method: 'PATCH', path: '/v1/rack/policy', kind: 'json' },
  listParameters: { method: 'GET', path: '/v1/rack/parameters', kind: 'json' },
  changeParameters: { method: 'PATCH', path: '/v1/rack/parameters', kind: 'json' },
  listRegistries: { method: 'GET', path: '/v1/registries', kind: 'json' },
  addRegistry: { method: 'PUT', path: '/v1/registries/:host', kind: 'json', deadlineMs: patientMs },
  listCertificates: { method: 'GET', path: '/v1/certificates', kind: 'json' },
  addCertificate: { method: 'POST', path: '/v1/certificates', kind: 'json', deadlineMs: patientMs },
  getCertificate: { method: 'GET', path: '/v1/certificates/:certificate', kind: 'json' },
  removeCertificate: {
    method: 'DELETE',
    path: '/v1/certificates/:certificate',
    kind: 'json',
    deadlineMs: patientMs,
  },
  renewCertificate: {
    method: 'POST',
    path: '/v1/certificates/:certificate/renew',
    kind: 'json',
    deadlineMs: patientMs,
  },
  getAcme: { method: 'GET', path: '/v1/acme', kind: 'json' },
  changeAcme: { method: 'PATCH', path: '/v1/acme', kind: 'json', deadlineMs: patientMs },
  getAuthority: { method: 'GET', path: '/v1/authority', kind: 'json' },
  removeRegistry: { method: 'DELETE', path: '/v1/registries/:host', kind: 'json' },
  listTokens: { method: 'GET', path: '/v1/tokens', kind: 'json' },
  createToken: { method: 'POST', path: '/v1/tokens', kind: 'json' },
  revokeToken: { method: 'DELETE', path: '/v1/tokens/:token', kind: 'json' },
  planRackBackup: { method: 'GET', path: '/v1/rack/backup', kind: 'json' },
  // The engine writes down all images before the first byte of them, and nothing can be said meanwhile in what is sealed.
  backupRack: { method: 'POST', path: '/v1/rack/backup', kind: 'download', silenceMs: 30 * 60_000 },
  prune: { method: 'POST', path: '/v1/rack/prune', kind: 'json', deadlineMs: patientMs },
  listAudit: { method: 'GET', path: '/v1/rack/audit', kind: 'json' },
  verifyAudit: { method: 'GET', path: '/v1/rack/audit/verify', kind: 'json', deadlineMs: patientMs },

  listApps: { method: 'GET', path: '/v1/apps', kind: 'json' },
  createApp: { method: 'POST', path: '/v1/apps', kind: 'json' },
  getApp: { method: 'GET', path: '/v1/apps/:app', kind: 'json' },
  deleteApp: { method: 'DELETE', path: '/v1/apps/:app', kind: 'stream' },
  lockApp: { method: 'POST', path: '/v1/apps/:app/lock', kind: 'json' },
  unlockApp: { method: 'POST', path: '/v1/apps/:app/unlock', kind: 'json' },
  cancelApp: { method: 'POST', path: '/v1/apps/:app/cancel', kind: 'json', deadlineMs: patientMs },
  planAppExport: { method: 'GET', path: '/v1/apps/:app/export/plan', kind: 'json' },
  // As with a backup of the rack, images are silent for a while: here, and where it is piped to.
  exportApp: { method: 'GET', path: '/v1/apps/:app/export', kind: 'download', silenceMs: 30 * 60_000 },
  importApp: { method: 'POST', path: '/v1/imports', kind: 'upload', silenceMs: 30 * 60_000 },

  getKeptSource: { method: 'GET', path: '/v1/apps/:app/source', kind: 'json' },
  buildApp: { method: 'POST', path: '/v1/apps/:app/builds', kind: 'upload' },
  rebuildApp: { method: 'POST', path: '/v1/apps/:app/builds/:build/rebuild', kind: 'stream' },
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

  listServices: { method: 'GET', path: '/v1/services', kind: 'json' },
  createService: { method: 'POST', path: '/v1/services', kind: 'stream' },
  getService: { method: 'GET', path: '/v1/services/:service', kind: 'json' },
  revealService: { method: 'GET', path: '/v1/services/:service/url', kind: 'json' },
  setServiceUrl: { method: 'PUT', path: '/v1/services/:service/url', kind: 'json' },
  restartService: { method: 'POST', path: '/v1/services/:service/restart', kind: 'stream' },
  shareService: {
    method: 'POST',
    path: '/v1/services/:service/shares',
    kind: 'json',
    deadlineMs: patientMs,
  },
  unshareService: {
    method: 'DELETE',
    path: '/v1/services/:service/shares',
    kind: 'json',
    deadlineMs: patientMs,
  },
  listShares: { method: 'GET', path: '/v1/shares', kind: 'json' },
  planServiceUpdate: {
    method: 'GET',
    path: '/v1/services/:service/update',
    kind: 'json',
    deadlineMs: patientMs,
  },
  updateService: { method: 'POST', path: '/v1/services/:service/update', kind: 'stream' },
  finishServiceUpdate: { method: 'POST', path: '/v1/services/:service/update/finish', kind: 'stream' },
  cancelService: {
    method: 'POST',
    path: '/v1/services/:service/cancel',
    kind: 'json',
    deadlineMs: patientMs,
  },
  serviceLogs: { method: 'GET', path: '/v1/services/:service/logs', kind: 'lines' },
  deleteService: { method: 'DELETE', path: '/v1/services/:service', kind: 'stream' },
  dropServiceData: {
    method: 'DELETE',
    path: '/v1/services/:service/data/:data',
    kind: 'json',
    deadlineMs: patientMs,
  },
  backupService: { method: 'POST', path: '/v1/services/:service/backups', kind: 'stream' },
  dumpService: { method: 'GET', path: '/v1/services/:service/dump', kind: 'download' },
  getBackupSchedule: { method: 'GET', path: '/v1/services/:service/backup-schedule', kind: 'json' },
  setBackupSchedule: { method: 'PUT', path: '/v1/services/:service/backup-schedule', kind: 'json' },
  removeBackupSchedule: { method: 'DELETE', path: '/v1/services/:service/backup-schedule', kind: 'json' },
  exportService: { method: 'GET', path: '/v1/services/:service/export', kind: 'terminal' },
  importService: { method: 'GET', path: '/v1/services/:service/import', kind: 'terminal' },
  openConsole: { method: 'GET', path: '/v1/services/:service/console', kind: 'terminal' },
  connectService: { method: 'GET', path: '/v1/services/:service/connect', kind: 'connection' },
  listBackups: { method: 'GET', path: '/v1/backups', kind: 'json' },
  addBackup: { method: 'POST', path: '/v1/backups', kind: 'upload' },
  getBackup: { method: 'GET', path: '/v1/backups/:backup', kind: 'json' },
  readBackup: { method: 'GET', path: '/v1/backups/:backup/content', kind: 'download' },
  restoreBackup: { method: 'POST', path: '/v1/backups/:backup/restore', kind: 'stream' },
  deleteBackup: { method: 'DELETE', path: '/v1/backups/:backup', kind: 'json', deadlineMs: patientMs },
  listLinks: { method: 'GET', path: '/v1/links', kind: 'json' },
  listProcessLinks: { method: 'GET', path: '/v1/links/processes', kind: 'json' },
  checkLinks: { method: 'POST', path: '/v1/links/check', kind: 'json', deadlineMs: patientMs },
  createLink: { method: 'POST', path: '/v1/apps/:app/links', kind: 'json', deadlineMs: patientMs },
  rotateLink: {
    method: 'POST',
    path: '/v1/apps/:app/links/:link/rotate',
    kind: 'json',
    deadlineMs: patientMs,
  },
  revokeLogins: {
    method: 'POST',
    path: '/v1/apps/:app/links/:link/revoke',
    kind: 'json',
    deadlineMs: patientMs,
  },
  deleteLink: { method: 'DELETE', path: '/v1/apps/:app/links/:link', kind: 'json' },

  getEnvironment: { method: 'GET', path: '/v1/apps/:app/environment', kind: 'json' },
  changeEnvironment: { method: 'PATCH', path: '/v1/apps/:app/environment', kind: 'json' },
  replaceEnvironment: { method: 'PUT', path: '/v1/apps/:app/environment', kind: 'json' },
  diffEnvironment: { method: 'GET', path: '/v1/apps/:app/environment/diff', kind: 'json' },
  processEnvironment: { method: 'GET', path: '/v1/apps/:app/environment/processes/:process', kind: 'json' },

  readUsage: { method: 'GET', path: '/v1/usage', kind: 'json' },
  listProcesses: { method: 'GET', path: '/v1/apps/:app/processes', kind: 'json' },
  getProcess: { method: 'GET', path: '/v1/apps/:app/processes/:process', kind: 'json' },
  stopProcess: {
    method: 'DELETE',
    path: '/v1/apps/:app/processes/:process',
    kind: 'json',
    deadlineMs: patientMs,
  },
  execProcess: { method: 'GET', path: '/v1/apps/:app/processes/:process/exec', kind: 'terminal' },
  readFiles: { method: 'GET', path: '/v1/apps/:app/processes/:process/files', kind: 'download' },
  writeFiles: { method: 'PUT', path: '/v1/apps/:app/processes/:process/files', kind: 'upload' },
  connectInside: { method: 'GET', path: '/v1/apps/:app/connect', kind: 'connection' },
  attachProcess: { method: 'GET', path: '/v1/apps/:app/run', kind: 'terminal' },
  runProcess: { method: 'POST', path: '/v1/apps/:app/run', kind: 'json', deadlineMs: patientMs },
  getFormation: { method: 'GET', path: '/v1/apps/:app/formation', kind: 'json' },
  planScale: { method: 'POST', path: '/v1/apps/:app/formation/plan', kind: 'json' },
  scaleProcesses: { method: 'PATCH', path: '/v1/apps/:app/formation', kind: 'stream' },
  restartApp: { method: 'POST', path: '/v1/apps/:app/restart', kind: 'stream' },

  listDomains: { method: 'GET', path: '/v1/domains', kind: 'json' },
  addDomain: {
    method: 'PUT',
    path: '/v1/apps/:app/domains/:domain',
    kind: 'json',
    deadlineMs: patientMs,
  },
  removeDomain: {
    method: 'DELETE',
    path: '/v1/apps/:app/domains/:domain',
    kind: 'json',
    deadlineMs: patientMs,
  },

  listVolumes: { method: 'GET', path: '/v1/volumes', kind: 'json', deadlineMs: patientMs },
  getVolume: { method: 'GET', path: '/v1/apps/:app/volumes/:volume', kind: 'json', deadlineMs: patientMs },
  deleteVolume: {
    method: 'DELETE',
    path: '/v1/apps/:app/volumes/:volume',
    kind: 'json',
    deadlineMs: patientMs,
  },
  backupVolume: { method: 'POST', path: '/v1/apps/:app/volumes/:volume/backups', kind: 'stream' },
  dumpVolume: { method: 'GET', path: '/v1/apps/:app/volumes/:volume/dump', kind: 'download' },
  restoreVolume: { method: 'POST', path: '/v1/apps/:app/volumes/:volume/restore', kind: 'stream' },

  listTimers: { method: 'GET', path: '/v1/apps/:app/timers', kind: 'json' },
  timerHistory: { method: 'GET', path: '/v1/apps/:app/timer-runs', kind: 'json' },
  getTimer: { method: 'GET', path: '/v1/apps/:app/timers/:timer', kind: 'json' },
  runTimer: { method: 'POST', path: '/v1/apps/:app/timers/:timer/run', kind: 'json', deadlineMs: patientMs },

  rackLogs: { method: 'GET', path: '/v1/logs', kind: 'lines' },
  appLogs: { method: 'GET', path: '/v1/apps/:app/logs', kind: 'lines' },

  watchEvents: { method: 'GET', path: '/v1/events', kind: 'lines' },
} as const satisfies Record<string, Path>

export type OperationName = keyof typeof paths
