import { hostAndPort } from '../../lib/host-and-port.ts'
import type { Reply } from '../../client/client-types.ts'

type Link = Reply<'listLinks'>[number]
type ProcessLink = Reply<'listProcessLinks'>[number]
type Address = NonNullable<Link['address']>

/** `postgres at db.example.com:5432/shop` */
export function placeText({ scheme, host, port, path }: Address): string {
  return `${scheme} at ${hostAndPort(host, port)}${path}`
}

/** `shop (as db), blog`: each app once. */
export function linkedApps(links: Pick<Link, 'app' | 'alias' | 'service'>[]): string {
  const texts = links.map(({ app, alias, service }) => (alias === service ? app : `${app} (as ${alias})`))
  return [...new Set(texts)].join(', ')
}

/** What an app has is drawn below it: its links to services, then each process with its links to others. */
export function linkTree(links: Link[], processLinks: ProcessLink[]): string {
  const apps = new Set([...links, ...processLinks].map(({ app }) => app))
  const lines = Array.from(apps, (app) => {
    const own = links.filter((link) => link.app === app).map((link) => ({ text: linkText(link), below: [] }))
    const between = Map.groupBy(
      processLinks.filter((link) => link.app === app),
      ({ process: type }) => type,
    )
    const types = Array.from(between, ([text, all]) => ({ text, below: all.map(processLinkText) }))
    return [app, ...branches([...own, ...types])]
  })
  return lines
    .flat()
    .map((line) => `${line}\n`)
    .join('')
}

interface Branch {
  text: string
  below: string[]
}

function branches(all: Branch[]): string[] {
  return all.flatMap(({ text, below }, at) => {
    const isLast = at === all.length - 1
    const deeper = branches(below.map((each) => ({ text: each, below: [] })))
    return [`${isLast ? '└─' : '├─'} ${text}`, ...deeper.map((line) => `${isLast ? '  ' : '│ '} ${line}`)]
  })
}

/** `queue → redis (process, redis on 6379)` */
function processLinkText({ alias, target, scheme, port }: ProcessLink): string {
  return `${alias} → ${target} (process, ${scheme} on ${port})`
}

function linkText({ alias, service, address, isLive, isNewest }: Link): string {
  const place = address ? placeText(address) : 'no more'
  const when = isLive === isNewest ? '' : isNewest ? ', from the next promote on' : ', until the next promote'
  return `${alias} → ${service} (${place})${when}`
}

/** The graph in the language of Graphviz. */
export function linkGraph(links: Link[], processLinks: ProcessLink[]): string {
  const node = (id: string, label: string, shape: string) =>
    `  ${quoted(id)} [label=${quoted(label)}, shape=${shape}]`
  const processId = (app: string, type: string) => `process ${app} ${type}`
  const nodes = [
    ...[...links, ...processLinks].map(({ app }) => node(`app ${app}`, app, 'box')),
    ...links.map(({ service }) => node(`service ${service}`, service, 'cylinder')),
    ...processLinks.flatMap(({ app, process: type, target }) =>
      [type, target].map((each) => node(processId(app, each), each, 'ellipse')),
    ),
  ]
  const arrow = (from: string, to: string, style: string) => `  ${quoted(from)} -> ${quoted(to)}${style}`
  const edges = [
    ...links.map(({ app, alias, service, isLive }) => {
      const style = isLive ? '' : ', style=dashed'
      return arrow(`app ${app}`, `service ${service}`, ` [label=${quoted(alias)}${style}]`)
    }),
    ...processLinks.flatMap(({ app, process: type, target, alias }) => [
      arrow(`app ${app}`, processId(app, type), ' [style=dotted, arrowhead=none]'),
      arrow(processId(app, type), processId(app, target), ` [label=${quoted(alias)}]`),
    ]),
  ]
  return ['digraph links {', '  rankdir=LR', ...new Set([...nodes, ...edges]), '}', ''].join('\n')
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
