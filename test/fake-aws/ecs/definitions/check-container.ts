import type { ContainerDefinition, HealthCheck, LinuxParameters, LogConfiguration } from '@aws-sdk/client-ecs'
import { assertOnly, clientError } from '../refusals.ts'

const knownMembers = [
  'name',
  'image',
  'cpu',
  'memory',
  'memoryReservation',
  'portMappings',
  'essential',
  'entryPoint',
  'command',
  'environment',
  'mountPoints',
  'linuxParameters',
  'secrets',
  'dependsOn',
  'stopTimeout',
  'user',
  'workingDirectory',
  'privileged',
  'readonlyRootFilesystem',
  'interactive',
  'pseudoTerminal',
  'dockerLabels',
  'ulimits',
  'logConfiguration',
  'healthCheck',
  'systemControls',
  // In an `awsvpc` task refused by ECS itself, in its own words.
  'hostname',
  'links',
  'extraHosts',
  'dnsServers',
  'dnsSearchDomains',
  'dockerSecurityOptions',
]

/** Members that ECS refuses on Fargate or in the network mode `awsvpc` (D). */
const refusedMembers = [
  'privileged',
  'hostname',
  'links',
  'extraHosts',
  'dnsServers',
  'dnsSearchDomains',
  'dockerSecurityOptions',
] as const

/** Fargate ends a process at the latest after this (S). */
const longestStopSeconds = 120
/** `nofile` alone may be set on Fargate, up to 65,535 (D, aws.md 3). */
const mostFiles = 65_535
const settable =
  /^(net\..+|kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\..+)$/

/** One container of a Fargate task by itself. @throws AwsError ClientException */
export function checkContainer(container: ContainerDefinition): void {
  assertOnly(container, knownMembers, 'ContainerDefinition')
  if (!container.name || !/^[\w-]{1,255}$/.test(container.name)) {
    throw clientError('Invalid container name: up to 255 letters, numbers, hyphens, and underscores.')
  }
  if (!container.image || container.image.length > 255 || /\s/.test(container.image)) {
    throw clientError(`Container.image should not be null or empty, nor longer than 255: ${container.name}`)
  }
  for (const member of refusedMembers) {
    const given = container[member]
    if (given === undefined || given === false || (Array.isArray(given) && given.length === 0)) continue
    throw clientError(`${member} is not supported on container when networkMode=awsvpc or on Fargate.`)
  }
  checkPorts(container)
  checkNumbers(container)
  checkEnvironment(container)
  if (container.healthCheck) checkHealth(container.healthCheck)
  if (container.linuxParameters) checkLinux(container.linuxParameters)
  checkLog(container.logConfiguration)
}

function checkPorts({ portMappings = [], name }: ContainerDefinition): void {
  const seen = new Set<number>()
  for (const mapping of portMappings) {
    assertOnly(mapping, ['containerPort', 'hostPort', 'protocol', 'name'], 'PortMapping')
    const { containerPort, hostPort = containerPort } = mapping
    if (containerPort === undefined || containerPort < 1 || containerPort > 65_535) {
      throw clientError(`Invalid container port: ${containerPort}`)
    }
    // Nor by another protocol (D: a report of 2022-10-11 that is open still; there CreateService said it).
    if (seen.has(containerPort)) {
      throw clientError(
        `Container port ${containerPort} is used in more than one port mapping for container ${name}`,
      )
    }
    seen.add(containerPort)
    if (hostPort !== containerPort) {
      throw clientError(
        'When networkMode=awsvpc, the host ports and container ports in port mappings must match.',
      )
    }
  }
}

function checkNumbers({ stopTimeout, memory, cpu, ulimits, systemControls }: ContainerDefinition) {
  if (stopTimeout !== undefined && !isWithin(stopTimeout, 1, longestStopSeconds)) {
    throw clientError(`stopTimeout must be between 1 and ${longestStopSeconds} seconds.`)
  }
  // The Docker daemon reserves at least 6 MiB (D).
  if (memory !== undefined && memory < 6) throw clientError('Invalid memory: at least 6 MiB.')
  if (cpu !== undefined && cpu < 0) throw clientError('Invalid cpu.')
  for (const { name, softLimit, hardLimit } of ulimits ?? []) {
    if (name !== 'nofile')
      throw clientError(`Fargate compatible task definitions do not support ulimit ${name}`)
    if (softLimit! > hardLimit! || hardLimit! > mostFiles) throw clientError('Invalid nofile ulimit.')
  }
  for (const { namespace } of systemControls ?? []) {
    if (!settable.test(namespace ?? '')) throw clientError(`Invalid system control: ${namespace}`)
  }
}

function checkEnvironment({ environment = [], secrets = [], name }: ContainerDefinition): void {
  const names = [...environment, ...secrets].map((variable) => variable.name ?? '')
  if (names.includes('')) throw clientError(`An environment variable of ${name} has no name.`)
  // D: a name may stand in one of the two only.
  if (new Set(names).size < names.length) {
    throw clientError(
      `The secret name must be unique and not shared with any new or existing environment variables.`,
    )
  }
}

function checkHealth({ command, interval, timeout, retries, startPeriod }: HealthCheck): void {
  const [kind] = command ?? []
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') {
    throw clientError('Health check command must start with CMD or CMD-SHELL.')
  }
  if (command!.length < 2) throw clientError('Health check command is empty.')
  // D: API reference of HealthCheck.
  const ranges: [string, number | undefined, number, number][] = [
    ['interval', interval, 5, 300],
    ['timeout', timeout, 2, 60],
    ['retries', retries, 1, 10],
    ['startPeriod', startPeriod, 0, 300],
  ]
  for (const [name, value, least, most] of ranges) {
    if (value === undefined || isWithin(value, least, most)) continue
    throw clientError(`Health check ${name} must be between ${least} and ${most}.`)
  }
}

function checkLinux(parameters: LinuxParameters): void {
  assertOnly(parameters, ['capabilities', 'initProcessEnabled', 'tmpfs'], 'LinuxParameters')
  for (const added of parameters.capabilities?.add ?? []) {
    if (added !== 'SYS_PTRACE') throw clientError(`Fargate does not support adding the capability ${added}`)
  }
  for (const { containerPath, size } of parameters.tmpfs ?? []) {
    if (!containerPath?.startsWith('/') || !size || size < 1) throw clientError('Invalid tmpfs.')
  }
}

const logOptions = ['awslogs-group', 'awslogs-region', 'awslogs-stream-prefix', 'mode', 'max-buffer-size']

/** Without a log nobody could see why a task ended (J: our own assertion, aws.md 5.2). */
function checkLog(log: LogConfiguration | undefined): void {
  if (!log) throw clientError('our own assertion: every container has log options')
  assertOnly(log, ['logDriver', 'options'], 'LogConfiguration')
  if (log.logDriver !== 'awslogs') {
    throw clientError(`The fake account has no log driver ${log.logDriver}: awslogs only`)
  }
  const options = log.options ?? {}
  assertOnly(options, logOptions, 'LogConfiguration.options')
  for (const needed of logOptions.slice(0, 3)) {
    if (!options[needed]) throw clientError(`Log driver awslogs requires options: ${needed}`)
  }
  const { mode = 'blocking', 'max-buffer-size': buffer } = options
  if (mode !== 'blocking' && mode !== 'non-blocking') throw clientError(`Invalid log mode: ${mode}`)
  if (buffer !== undefined && (mode === 'blocking' || !/^\d+[bkmg]?$/i.test(buffer))) {
    throw clientError('max-buffer-size is a size, and goes with mode non-blocking.')
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}
