import { isFromSource } from '../../domain/binds.ts'
import type {
  ContainerOptions,
  FileMount,
  GpuRequest,
  HostNamespace,
  TypeMount,
} from '../../domain/container.ts'
import type { Port } from '../../domain/port.ts'
import type { BuildSpec, HealthcheckSettings, NamedContext, ProcessType } from '../../domain/manifest.ts'
import { canonicalLabels } from './canonical-labels.ts'
import { durationText, given, lean, modeText, sizeText, type Value } from './values.ts'

/** One process type under the keys of the Compose Specification; what is at its default is left out. */
export function canonicalProcess(type: ProcessType): Value {
  const said = lean({
    image: given(type.image),
    pull_policy: given(type.pullPolicy),
    build: type.build ? buildOf(type.build) : undefined,
    command: given(type.command),
    entrypoint: given(type.entrypoint),
    environment: Object.fromEntries(type.environment.map(({ name, value }) => [name, value])),
    ports: type.ports.map(portText),
    expose: type.expose.map(String),
    links: type.links.map(({ target, alias }) => (target === alias ? target : `${target}:${alias}`)),
    depends_on: dependenciesOf(type),
    networks: networksOf(type),
    labels: { ...type.labels, ...canonicalLabels(type) },
    volumes: type.mounts.flatMap(volumeOf),
    tmpfs: type.mounts.flatMap(tmpfsOf),
    configs: filesOf(type, 'config'),
    secrets: filesOf(type, 'secret'),
    healthcheck: type.healthcheck ? healthcheckOf(type.healthcheck) : undefined,
    deploy: { replicas: type.formation.count },
    cpu_shares: type.formation.cpuUnits,
    mem_limit: sizeText(type.formation.memoryBytes),
    stop_grace_period: type.stopGraceMs === 10_000 ? undefined : durationText(type.stopGraceMs),
    stop_signal: given(type.stopSignal),
    user: given(type.user),
    working_dir: given(type.workingDir),
    init: type.init || undefined,
    extra_hosts: type.extraHosts.map(({ host, address }) => `${host}=${address}`),
    restart: type.restart === 'always' ? undefined : type.restart,
    ...optionsOf(type.container),
  })
  // An empty one takes away the image's own.
  const emptied = (['command', 'entrypoint'] as const).filter((key) => type[key]?.length === 0)
  return { ...said, ...Object.fromEntries(emptied.map((key) => [key, []])) }
}

function portText({ external, container, protocol, isLocal }: Port): string {
  const inside = `${container}${protocol === 'udp' ? '/udp' : ''}`
  return external === null ? inside : `${isLocal ? '127.0.0.1:' : ''}${external}:${inside}`
}

function buildOf(build: BuildSpec): Value {
  const { context, dockerfile, inline, target, network, args, labels, extraHosts } = build
  const { contexts, shmBytes, ulimits, secrets, keys } = build
  return lean({
    context: build.repository ?? context,
    dockerfile: inline === null && dockerfile !== 'Dockerfile' ? dockerfile : undefined,
    dockerfile_inline: given(inline),
    target: given(target),
    network: given(network),
    args,
    labels,
    extra_hosts: extraHosts.map(({ host, address }) => `${host}=${address}`),
    additional_contexts: Object.fromEntries(contexts.map((one) => [one.name, contextText(one)])),
    shm_size: shmBytes === null ? undefined : sizeText(shmBytes),
    ulimits: Object.fromEntries(ulimits.map(({ name, soft, hard }) => [name, { soft, hard }])),
    secrets: secrets.map(({ id, name }) => ({ source: name, target: id })),
    ssh: keys.map(({ id, origin }) => ('file' in origin ? `${id}=${origin.file}` : id)),
  })
}

function contextText(one: NamedContext): string {
  if ('image' in one) return `docker-image://${one.image}`
  return 'process' in one ? `service:${one.process}` : `./${one.folder}`
}

function networksOf({ hostNames, isolation }: ProcessType): Value | undefined {
  if (!isolation) return hostNames.length > 0 ? { default: { aliases: hostNames } } : undefined
  return Object.fromEntries(
    isolation.networks.map(({ name, aliases }) => [name, aliases.length > 0 ? { aliases } : null]),
  )
}

const conditions = {
  started: 'service_started',
  healthy: 'service_healthy',
  completed: 'service_completed_successfully',
}

function dependenciesOf({ dependsOn }: ProcessType): Value {
  return Object.fromEntries(
    dependsOn.map(({ target, condition, restart }) => [
      target,
      lean({ condition: conditions[condition], restart: restart || undefined }),
    ]),
  )
}

/** Named volumes, directories of the host and volumes without a name. */
function volumeOf(mount: TypeMount): Value[] {
  const place = { target: mount.path, read_only: mount.readOnly || undefined }
  if (isFromSource(mount)) return [lean({ type: 'bind', source: pathOf(mount.source), ...place })]
  if (mount.kind === 'volume') {
    const volume = mount.noCopy ? { nocopy: true } : undefined
    return [lean({ type: 'volume', source: mount.volume, ...place, volume })]
  }
  if (mount.kind === 'bind') return [lean({ type: 'bind', source: mount.source, ...place })]
  return mount.kind === 'discarded' ? [lean({ type: 'volume', ...place })] : []
}

/** As it is told from the name of a volume. */
function pathOf(source: string): string {
  return source.startsWith('.') ? source : `./${source}`
}

/** The short form alone takes every option. */
function tmpfsOf(mount: TypeMount): string[] {
  if (mount.kind !== 'tmpfs') return []
  const options = [
    ...(mount.readOnly ? ['ro'] : []),
    ...(mount.sizeBytes === null ? [] : [`size=${mount.sizeBytes}`]),
    ...(mount.mode === null ? [] : [`mode=${modeText(mount.mode)}`]),
    ...mount.options,
  ]
  return [options.length === 0 ? mount.path : `${mount.path}:${options.join(',')}`]
}

function filesOf({ files }: ProcessType, kind: FileMount['kind']): Value {
  return files
    .filter((file) => file.kind === kind)
    .map(({ name, path, mode, uid, gid }) => ({
      source: name,
      target: path,
      uid: String(uid),
      gid: String(gid),
      mode: modeText(mode),
    }))
}

function healthcheckOf({ test, intervalMs, timeoutMs, retries, startPeriodMs }: HealthcheckSettings): Value {
  const time = (ms: number | null) => (ms === null ? undefined : durationText(ms))
  return lean({
    test: given(test),
    interval: time(intervalMs),
    timeout: time(timeoutMs),
    retries: given(retries),
    start_period: time(startPeriodMs),
  })
}

const namespaceKeys: Record<HostNamespace, string> = {
  cgroup: 'cgroup',
  ipc: 'ipc',
  pid: 'pid',
  user: 'userns_mode',
  uts: 'uts',
}

function gpusOf({ driver, count, ids, capabilities }: GpuRequest): Value {
  return lean({ driver: given(driver), count: given(count), device_ids: ids, capabilities })
}

function optionsOf(options: ContainerOptions): Record<string, Value> {
  const { dns, ulimits } = options
  const flag = (value: boolean) => value || undefined
  return {
    hostname: given(options.hostname),
    domainname: given(options.domainname),
    group_add: options.groups,
    cap_add: options.capAdd,
    cap_drop: options.capDrop,
    privileged: flag(options.privileged),
    devices: options.devices.map(({ source, path, permissions }) => `${source}:${path}:${permissions}`),
    device_cgroup_rules: options.deviceRules,
    gpus: options.gpus ? [gpusOf(options.gpus)] : undefined,
    ...Object.fromEntries(options.hostNamespaces.map((namespace) => [namespaceKeys[namespace], 'host'])),
    read_only: flag(options.readOnly),
    security_opt: options.securityOptions,
    shm_size: options.shmBytes === null ? undefined : sizeText(options.shmBytes),
    sysctls: options.sysctls,
    ulimits: Object.fromEntries(ulimits.map(({ name, soft, hard }) => [name, { soft, hard }])),
    pids_limit: given(options.pids),
    oom_score_adj: given(options.oomScoreAdj),
    dns: dns.servers,
    dns_search: dns.search,
    dns_opt: dns.options,
    tty: flag(options.tty),
    stdin_open: flag(options.stdinOpen),
  }
}
