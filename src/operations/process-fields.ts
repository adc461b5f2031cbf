import type { ContainerOptions, Mount } from '../domain/container.ts'
import type { ProcessPlan } from '../domain/plan.ts'
import type { Port } from '../domain/port.ts'
import { maskRouting } from '../domain/routing.ts'
import type { Timer } from '../domain/timer.ts'
import { formatBytes } from '../lib/sizes.ts'
import type { ProcessChange } from './operations.ts'

const toHost = ({ host, names }: { host: string; names: string[] }) => ({ to: host, names })

/** What differs between two plans of a type, in words; variables and files by name, without what is in them. */
export function changedFields(was: ProcessPlan, is: ProcessPlan): ProcessChange['fields'] {
  const differing = Object.entries(fieldTexts).flatMap(([name, text]) => field(name, text(was), text(is)))
  const options = Object.entries(optionTexts).flatMap(([name, text]) =>
    field(name, text(was.container), text(is.container)),
  )
  return [
    ...field('variables', variablesText(was), variablesText(is, was)),
    ...differing,
    ...field('files', filesText(was.files), filesText(is.files, was.files)),
    ...options,
  ]
}

/** Fields that replace no copy. */
const kept = new Set([
  'variables',
  'ports',
  'router',
  'agent',
  'count',
  'reached as',
  'health',
  'stop_grace_period',
  'restarts with',
  'release command runs',
  'release command',
  'timers',
])

/** Why the copies of a type are replaced, in words; variables by name. */
export function reasonsOf(was: ProcessPlan | undefined, is: ProcessPlan): string[] {
  if (!was) return ['it is new']
  const names = variablesThatDiffer(was, is).map((name) => `variable ${name}`)
  for (const { name } of changedFields(was, is)) if (!kept.has(name)) names.push(name)
  if (is.replaceBefore !== null) names.push('restart')
  return names.length > 0 ? names : is.restartsWith.map((type) => `restarts with ${type}`)
}

function variablesThatDiffer(was: ProcessPlan, is: ProcessPlan): string[] {
  const names = new Set([...Object.keys(was.environment), ...Object.keys(is.environment)])
  const isOther = (name: string) => was.environment[name] !== is.environment[name]
  return [...names].filter((name) => name !== 'RELEASE' && name !== 'BUILD' && isOther(name)).sort()
}

function field(name: string, from: string, to: string): ProcessChange['fields'] {
  return from === to ? [] : [{ name, from: from || null, to: to || null }]
}

const fieldTexts: Record<string, (processPlan: ProcessPlan) => string> = {
  image: ({ imageDigest }) => imageDigest,
  command: ({ entrypoint, command }) => [...(entrypoint ?? []), ...(command ?? [])].join(' '),
  ports: ({ ports }) => ports.map(portText).join(' '),
  router: ({ routing }) => JSON.stringify(maskRouting(routing)),
  agent: ({ isAgent }) => String(isAgent),
  count: ({ count }) => String(count),
  limits: ({ cpuUnits, memoryBytes, extras = {} }) =>
    [`${cpuUnits} units`, formatBytes(memoryBytes), ...extraTexts(extras)].join(', '),
  mounts: ({ mounts }) => mounts.map(mountText).sort().join(' '),
  labels: ({ labels }) => pairs(labels),
  'led to': ({ services = [], outside = [] }) =>
    [...services.map(({ service, names }) => ({ to: service, names })), ...outside.map(toHost)]
      .map(({ to, names }) => `${to} as ${names.join(', ')}`)
      .join('; '),
  'reached as': ({ aliases, hosts }) => [...aliases, ...hosts].join(' '),
  health: ({ health }) => JSON.stringify(health),
  healthcheck: ({ healthcheck }) => JSON.stringify(healthcheck),
  user: ({ user }) => user ?? '',
  working_dir: ({ workingDir }) => workingDir ?? '',
  init: ({ init }) => claim(init),
  extra_hosts: ({ extraHosts }) => extraHosts.map(({ host, address }) => `${host}:${address}`).join(' '),
  restart: ({ restart }) => restart,
  stop_signal: ({ stopSignal }) => stopSignal ?? '',
  stop_grace_period: ({ stopGraceMs }) => `${stopGraceMs / 1000} s`,
  'restarts with': ({ restartsWith }) => restartsWith.toSorted().join(' '),
  'release command runs': ({ releaseCommand, releaseCommandOn }) =>
    releaseCommand && releaseCommandOn === 'build' ? 'for new builds' : '',
  'release command': ({ releaseCommand }) => releaseCommand?.join(' ') ?? '',
  timers: ({ timers }) => timers.map(timerText).sort().join(', '),
}

/** By the keys of the compose file. */
const optionTexts: Record<string, (options: ContainerOptions) => string> = {
  hostname: ({ hostname }) => hostname ?? '',
  domainname: ({ domainname }) => domainname ?? '',
  group_add: ({ groups }) => groups.toSorted().join(' '),
  cap_add: ({ capAdd }) => capAdd.toSorted().join(' '),
  cap_drop: ({ capDrop }) => capDrop.toSorted().join(' '),
  privileged: ({ privileged }) => claim(privileged),
  devices: ({ devices }) =>
    devices.map(({ source, path, permissions }) => `${source}:${path}:${permissions}`).join(' '),
  device_cgroup_rules: ({ deviceRules }) => deviceRules.join(' '),
  gpus: ({ gpus }) =>
    gpus
      ? `${[gpus.count ?? gpus.ids.join(' '), gpus.driver ?? ''].join(' ').trim()} for ${gpus.capabilities.join(' ')}`
      : '',
  'of the machine': ({ hostNamespaces }) => hostNamespaces.join(' '),
  read_only: ({ readOnly }) => claim(readOnly),
  security_opt: ({ securityOptions }) => securityOptions.join(' '),
  shm_size: ({ shmBytes }) => (shmBytes === null ? '' : formatBytes(shmBytes)),
  sysctls: ({ sysctls }) => pairs(sysctls),
  ulimits: ({ ulimits }) =>
    ulimits
      .map(({ name, soft, hard }) => `${name}=${soft}:${hard}`)
      .sort()
      .join(' '),
  pids_limit: ({ pids }) => (pids === null ? '' : String(pids)),
  oom_score_adj: ({ oomScoreAdj }) => (oomScoreAdj === null ? '' : String(oomScoreAdj)),
  dns: ({ dns }) => dns.servers.join(' '),
  dns_search: ({ dns }) => dns.search.join(' '),
  dns_opt: ({ dns }) => dns.options.join(' '),
  tty: ({ tty }) => claim(tty),
  stdin_open: ({ stdinOpen }) => claim(stdinOpen),
}

function timerText({ name, schedule, timezone, command, overlap, timeoutMs }: Timer): string {
  const limit = timeoutMs === null ? '' : `, ${timeoutMs / 1000} s at most`
  return `${name}: ${schedule} (${timezone}, ${overlap}${limit}) ${command}`
}

const claim = (isSo: boolean) => (isSo ? 'true' : '')

function extraTexts(extras: Record<string, number>): string[] {
  return Object.entries(extras)
    .map(([name, amount]) => `${amount} ${name}`)
    .sort()
}

function pairs(record: Record<string, string>): string {
  const texts = Object.entries(record).map(([name, value]) => `${name}=${value}`)
  return texts.sort().join(' ')
}

function portText({ external, container, protocol, proxy, secure, upstream, isLocal }: Port): string {
  const manners = [
    ...(proxy ? [`+proxy ${proxy}`] : []),
    ...(secure ? ['+secure'] : []),
    ...(upstream ? [`+${upstream}`] : []),
  ].join('')
  return `${isLocal ? '127.0.0.1:' : ''}${external ?? ''}:${container}/${protocol}${manners}`
}

function mountText(mount: Mount): string {
  const { kind, path, readOnly } = mount
  const options = [
    ...(readOnly ? ['ro'] : []),
    ...(kind === 'volume' && mount.noCopy ? ['nocopy'] : []),
    ...(kind === 'tmpfs' ? tmpfsTexts(mount) : []),
  ]
  const from = kind === 'volume' ? (mount.external ?? mount.volume) : kind === 'bind' ? mount.source : kind
  return [from, path, ...(options.length > 0 ? [options.join(',')] : [])].join(':')
}

function tmpfsTexts({ sizeBytes, mode, options }: Extract<Mount, { kind: 'tmpfs' }>): string[] {
  const size = sizeBytes === null ? [] : [`size=${formatBytes(sizeBytes).replaceAll(' ', '')}`]
  return [...size, ...(mode === null ? [] : [`mode=${mode.toString(8)}`]), ...options]
}

/** One whose name is as it was says when its value is another; those that name the release differ always. */
function variablesText({ environment }: ProcessPlan, before?: ProcessPlan): string {
  const texts = Object.entries(environment).map(([name, value]) => {
    const was = before && Object.hasOwn(before.environment, name) ? before.environment[name] : value
    const isOther = was !== value && name !== 'RELEASE' && name !== 'BUILD'
    return isOther ? `${name} (another value)` : name
  })
  return texts.sort().join(' ')
}

/** One whose place and mode are as they were says when its content is another. */
function filesText(files: ProcessPlan['files'], before: ProcessPlan['files'] = files): string {
  const contents = new Map(before.map(({ path, content }) => [path, content]))
  const texts = files.map(({ name, path, mode, uid, gid, content }) => {
    const place = `${name}:${path} (${mode.toString(8)} ${uid}:${gid})`
    const isOther = contents.has(path) && contents.get(path) !== content
    return isOther ? `${place} with other content` : place
  })
  return texts.sort().join(', ')
}
