import type { Context } from '../context.ts'
import { exportApp } from './export-app.ts'
import { importApp } from './import-app.ts'
import type { MoveOperations } from './move-operations.ts'
import { planExport } from './plan-export.ts'

/** The verbs by which an app goes from rack to rack. */
export function bindMoves(context: Context): MoveOperations {
  return {
    async planAppExport(app, scope, control) {
      return (await planExport(context, app, scope, control)).archive.contents
    },
    exportApp: (app, scope, out, control) => exportApp(context, app, scope, out, control),
    importApp: (content, request, control) => importApp(context, content, request, control),
  }
}
