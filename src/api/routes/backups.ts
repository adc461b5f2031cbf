import type { Handlers } from '../handlers.ts'

type BackupHandlers = Pick<
  Handlers,
  | 'listBackups'
  | 'getBackup'
  | 'backupService'
  | 'addBackup'
  | 'readBackup'
  | 'dumpService'
  | 'restoreBackup'
  | 'deleteBackup'
  | 'getBackupSchedule'
  | 'setBackupSchedule'
  | 'removeBackupSchedule'
  | 'exportService'
  | 'importService'
  | 'openConsole'
  | 'connectService'
>

export const backupHandlers: BackupHandlers = {
  listBackups: ({ operations, query }) => operations.listBackups(query.service ?? null),
  getBackup: ({ operations, params }) => operations.getBackup(params.backup),
  backupService: ({ operations, params, query, control }) =>
    operations.backupService(params.service, query.reason, control),
  addBackup: ({ operations, content, control }) => operations.addBackup(content, control),
  readBackup: ({ operations, params, out }) => operations.readBackup(params.backup, out),
  dumpService: ({ operations, params, out, control }) => operations.dumpService(params.service, out, control),
  restoreBackup: ({ operations, params, body, control }) =>
    operations.restoreBackup(params.backup, body, control),
  deleteBackup: async ({ operations, params }) => {
    await operations.deleteBackup(params.backup)
    return null
  },
  getBackupSchedule: ({ operations, params }) => operations.getBackupSchedule(params.service),
  setBackupSchedule: ({ operations, params, body, control }) =>
    operations.setBackupSchedule(params.service, body, control),
  removeBackupSchedule: async ({ operations, params }) => {
    await operations.removeBackupSchedule(params.service)
    return null
  },
  exportService: ({ operations, params, query, terminal, control }) =>
    operations.exportService(params.service, { database: query.database ?? null }, terminal, control),
  importService: ({ operations, params, query, terminal, control }) => {
    const request = { database: query.database ?? null, force: query.force }
    return operations.importService(params.service, request, terminal, control)
  },
  openConsole: ({ operations, params, query, terminal, control }) =>
    operations.openConsole(params.service, { database: query.database ?? null }, terminal, control),
  connectService: ({ operations, params, control }) => operations.connectService(params.service, control),
}
