import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import type { Caller } from '../domain/caller.ts'
import { RackError } from '../domain/error.ts'
import { roles, type Role } from '../domain/token.ts'
import { paths, type OperationName, type Path } from '../client/paths.ts'
import { createDoor, type Door } from '../operations/door.ts'
import type { Operations } from '../operations/operations.ts'
import { loginOf, serveDoor, type ServedOperations } from '../../test/support/scripted-operations.ts'

/**
 * Who may call a route, written down once more and by hand: `anyone` without a token, `token` with any, else the least
 * role. What it is about: an `app` that its address names, one that its `body` or `query` names, `many` of which each
 * gets their own, `facts` for all, or the `rack`.
 */
type Row = ['anyone' | 'token' | Role, 'app' | 'body' | 'query' | 'many' | 'facts' | 'rack']

const rows: Record<OperationName, Row> = {
  health: ['anyone', 'facts'],
  openapi: ['token', 'facts'],
  getRack: ['read', 'facts'],
  getCapacity: ['read', 'facts'],
  getPolicy: ['read', 'facts'],
  changePolicy: ['admin', 'rack'],
  listParameters: ['read', 'facts'],
  changeParameters: ['admin', 'rack'],
  listRegistries: ['read', 'rack'],
  addRegistry: ['admin', 'rack'],
  removeRegistry: ['admin', 'rack'],
  listCertificates: ['read', 'rack'],
  getCertificate: ['read', 'rack'],
  addCertificate: ['admin', 'rack'],
  removeCertificate: ['admin', 'rack'],
  renewCertificate: ['admin', 'rack'],
  getAcme: ['read', 'rack'],
  changeAcme: ['admin', 'rack'],
  getAuthority: ['read', 'facts'],
  listTokens: ['admin', 'rack'],
  createToken: ['admin', 'rack'],
  revokeToken: ['admin', 'rack'],
  planRackBackup: ['admin', 'rack'],
  backupRack: ['admin', 'rack'],
  prune: ['admin', 'rack'],
  listAudit: ['admin', 'rack'],
  verifyAudit: ['admin', 'rack'],

  listApps: ['read', 'many'],
  createApp: ['deploy', 'body'],
  getApp: ['read', 'app'],
  deleteApp: ['admin', 'app'],
  lockApp: ['admin', 'app'],
  unlockApp: ['admin', 'app'],
  cancelApp: ['deploy', 'app'],
  planAppExport: ['admin', 'app'],
  exportApp: ['admin', 'app'],
  importApp: ['admin', 'rack'],

  getKeptSource: ['deploy', 'app'],
  buildApp: ['deploy', 'app'],
  rebuildApp: ['deploy', 'app'],
  listBuilds: ['read', 'app'],
  getBuild: ['read', 'app'],
  buildLog: ['read', 'app'],
  cancelBuild: ['deploy', 'app'],
  deleteBuild: ['admin', 'app'],

  listReleases: ['read', 'app'],
  diffReleases: ['read', 'app'],
  getRelease: ['read', 'app'],
  releaseManifest: ['read', 'app'],
  planPromotion: ['read', 'app'],
  promoteRelease: ['deploy', 'app'],
  rollbackRelease: ['deploy', 'app'],

  listServices: ['read', 'rack'],
  createService: ['admin', 'rack'],
  getService: ['read', 'rack'],
  revealService: ['admin', 'rack'],
  setServiceUrl: ['admin', 'rack'],
  restartService: ['admin', 'rack'],
  shareService: ['admin', 'rack'],
  unshareService: ['admin', 'rack'],
  listShares: ['read', 'rack'],
  planServiceUpdate: ['read', 'rack'],
  updateService: ['admin', 'rack'],
  finishServiceUpdate: ['admin', 'rack'],
  cancelService: ['admin', 'rack'],
  serviceLogs: ['read', 'rack'],
  deleteService: ['admin', 'rack'],
  dropServiceData: ['admin', 'rack'],
  backupService: ['admin', 'rack'],
  dumpService: ['admin', 'rack'],
  getBackupSchedule: ['read', 'rack'],
  setBackupSchedule: ['admin', 'rack'],
  removeBackupSchedule: ['admin', 'rack'],
  exportService: ['admin', 'rack'],
  importService: ['admin', 'rack'],
  openConsole: ['admin', 'rack'],
  connectService: ['admin', 'rack'],
  listBackups: ['read', 'rack'],
  addBackup: ['admin', 'rack'],
  getBackup: ['read', 'rack'],
  readBackup: ['admin', 'rack'],
  restoreBackup: ['admin', 'rack'],
  deleteBackup: ['admin', 'rack'],
  listLinks: ['read', 'query'],
  listProcessLinks: ['read', 'query'],
  checkLinks: ['deploy', 'body'],
  createLink: ['deploy', 'app'],
  rotateLink: ['deploy', 'app'],
  revokeLogins: ['deploy', 'app'],
  deleteLink: ['deploy', 'app'],

  getEnvironment: ['deploy', 'app'],
  changeEnvironment: ['deploy', 'app'],
  replaceEnvironment: ['deploy', 'app'],
  diffEnvironment: ['read', 'app'],
  processEnvironment: ['deploy', 'app'],

  listProcesses: ['read', 'app'],
  getProcess: ['read', 'app'],
  readUsage: ['read', 'query'],
  stopProcess: ['deploy', 'app'],
  execProcess: ['deploy', 'app'],
  readFiles: ['deploy', 'app'],
  writeFiles: ['deploy', 'app'],
  connectInside: ['deploy', 'app'],
  attachProcess: ['deploy', 'app'],
  runProcess: ['deploy', 'app'],

  getFormation: ['read', 'app'],
  planScale: ['read', 'app'],
  scaleProcesses: ['deploy', 'app'],
  restartApp: ['deploy', 'app'],

  listDomains: ['read', 'query'],
  addDomain: ['admin', 'app'],
  removeDomain: ['admin', 'app'],

  listVolumes: ['read', 'query'],
  getVolume: ['read', 'app'],
  deleteVolume: ['admin', 'app'],
  backupVolume: ['admin', 'app'],
  dumpVolume: ['admin', 'app'],
  restoreVolume: ['admin', 'rack'],

  listTimers: ['read', 'app'],
  timerHistory: ['read', 'app'],
  getTimer: ['read', 'app'],
  runTimer: ['deploy', 'app'],

  rackLogs: ['read', 'many'],
  appLogs: ['read', 'app'],

  watchEvents: ['read', 'many'],
}

/** Whose a token is, besides its role: of all apps, of the one that is asked about, of another. */
const scopes = { all: null, own: ['guestbook'], other: ['blog'] }
type Scope = keyof typeof scopes

const scopesByRole: [Role, Scope][] = roles.flatMap((role) =>
  (Object.keys(scopes) as Scope[]).map((scope): [Role, Scope] => [role, scope]),
)

const authenticate: Door['authenticate'] = async (token) => {
  const [role, scope] = token.split('-') as [Role, Scope]
  const caller: Caller = { name: token, role, apps: scopes[scope] }
  return scope in scopes ? loginOf(caller) : null
}

/** Verbs that do nothing but say that they were called. */
const allReached = new Proxy({} as Operations, {
  get: () => () => {
    throw new RackError('gone', 'the verb was called')
  },
})

const agent = new Agent({ keepAlive: true })
let rack: ServedOperations
before(async () => {
  rack = await serveDoor(
    createDoor({
      authenticate,
      verbsFor: () => allReached,
      audit: { tell: (_note, call) => call(), refused: async () => undefined },
    }),
  )
})
after(async () => {
  agent.destroy()
  await rack.close()
})

function mayCall([least, about]: Row, role: Role, scope: Scope): boolean {
  if (least === 'anyone' || least === 'token') return true
  if (roles.indexOf(role) < roles.indexOf(least)) return false
  if (about === 'rack') return scope === 'all'
  return about === 'many' || about === 'facts' || scope !== 'other'
}

/** Asks for a route as it is in the contract; the status of its answer, 101 for a socket that opens. */
async function knock(name: OperationName, token: string | null): Promise<number> {
  const { method, path, kind }: Path = paths[name]
  const url = new URL(path.replace(':app', 'guestbook').replaceAll(/:(\w+)/g, 'x'), rack.url)
  if (rows[name][1] === 'query') url.searchParams.set('app', 'guestbook')
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  if (kind === 'terminal' || kind === 'connection') return await knockAtSocket(url, headers)
  const body = rows[name][1] === 'body' ? JSON.stringify({ [nameOfApp(name)]: 'guestbook' }) : undefined
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const outgoing = httpRequest(url, { method, headers: { ...headers, ...type }, agent })
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  return response.statusCode ?? 0
}

function nameOfApp(name: OperationName): string {
  return name === 'createApp' ? 'name' : 'app'
}

async function knockAtSocket(url: URL, headers: Record<string, string>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  url.protocol = 'ws:'
  const socket = new WebSocket(url, { headers })
  socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
  socket.on('open', () => resolve(101))
  socket.on('error', () => resolve(0))
  const status = await promise
  socket.terminate()
  return status
}

test('no route is missing here, and none is here that is no more', () => {
  assert.deepEqual(Object.keys(rows).sort(), Object.keys(paths).sort())
})

for (const [name, row] of Object.entries(rows) as [OperationName, Row][]) {
  test(`${name}: ${row.join(', ')}`, async () => {
    const isOpen = row[0] === 'anyone'
    assert.equal((await knock(name, null)) !== 401, isOpen, 'without a token')
    const knocks = scopesByRole.map(async ([role, scope]) => {
      const status = await knock(name, `${role}-${scope}`)
      return `${role} of ${scope}: ${status === 403 || status === 401 ? 'refused' : 'let in'}`
    })
    assert.deepEqual(
      await Promise.all(knocks),
      scopesByRole.map(
        ([role, scope]) => `${role} of ${scope}: ${mayCall(row, role, scope) ? 'let in' : 'refused'}`,
      ),
    )
  })
}
