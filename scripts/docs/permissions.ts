import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { routeVerbs } from '../../src/api/route-verbs.ts'
import { contract } from '../../src/client/contract.ts'
import type { Op } from '../../src/client/contract/op.ts'
import { mayDo, roles } from '../../src/domain/token.ts'
import type { Access } from '../../src/edge/face.ts'
import { verbs } from '../../src/operations/verbs.ts'

const path = join(import.meta.dirname, '../../docs/security.md')
const [begin, end] = ['<!-- permissions -->', '<!-- end of permissions -->']

/** `docs/security.md` as it is, with its table of routes and roles made anew from the table of verbs. */
export function renderSecurity(): string {
  const text = readFileSync(path, 'utf8')
  const [before, after] = [text.split(begin)[0], text.split(end)[1]]
  if (before === undefined || after === undefined) throw new Error(`${path} has no place for the permissions`)
  const routes = Object.entries(contract) as [keyof typeof routeVerbs, Op][]
  const table = [
    `| route | ${roles.join(' | ')} | of | audited |`,
    `|---|${roles.map(() => '---|').join('')}---|---|`,
    `| \`GET /metrics\` | ${cellsOf('readMetrics')} |`,
    ...routes.map(
      ([name, { method, path: route }]) => `| \`${method} ${route}\` | ${cellsOf(routeVerbs[name])} |`,
    ),
  ]
  return `${before}${begin}\n\n${table.join('\n')}\n\n${end}${after}`
}

function cellsOf(verb: Access): string {
  if (verb === 'anyone') return [...roles.map(() => '✓'), 'no token needed', ''].join(' | ')
  if (verb === 'callers') return [...roles.map(() => '✓'), 'facts', ''].join(' | ')
  const { permission, scope, audited } = verbs[verb]
  return [...roles.map((role) => (mayDo(role, permission) ? '✓' : '–')), of[scope], audited ? '✓' : ''].join(
    ' | ',
  )
}

const of = { app: 'its apps', apps: 'what is of its apps', rack: 'all apps', facts: 'facts' }
