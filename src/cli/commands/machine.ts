import { findDaemon, startDaemon, stopDaemon } from '../../host/daemon.ts'
import { finishGoingBack } from '../../host/hand-over.ts'
import { isProgram } from '../../host/dns-hook.ts'
import { daemonEnvironment } from '../../host/make-installation.ts'
import { findUnserved, stopRouter } from '../../host/router.ts'
import { withUnit } from '../../host/start-at-boot.ts'
import {
  isOnMachine,
  onMachine,
  tcpBindOf,
  tcpBindRemark,
  writeInstallation,
  type Installation,
  type MachineInstallation,
} from '../../host/installation.ts'
import { ownAddress, wantedHttpsPort } from '../../host/plan-installation.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { readYes } from '../read-yes.ts'
import { insideRackOf, type InsideRack } from '../inside-rack.ts'
import { describeEnd } from '../certificate-ends.ts'
import { findInstallation } from '../find-installation.ts'
import { machineControl } from '../machine-control.ts'
import { readStatus, tokenOf, waitUntilReady, type MachineStatus } from '../machine-status.ts'
import { tellComingBack } from '../output/coming-back.ts'
import { formatFacts } from '../output/table.ts'
import { describeUnserved } from '../output/unserved.ts'
import { readRacks } from '../racks-file.ts'
import { remoteStatus } from '../remote-status.ts'
import { selectRack } from '../select-rack.ts'
import type { Session } from '../session.ts'

const dirOption: OptionSpec = { flags: '--dir <directory>', meaning: 'where the rack lies' }

/** `rack start`. */
export const start: CommandSpec = {
  name: 'start',
  summary: 'start the rack: its daemon, and its router when it does not run',
  description:
    'Safe to repeat. Apps come back by themselves, whether the daemon was stopped, killed, or the machine restarted; waits for them.',
  examples: ['start', 'start --rack demo', 'start --tcp-bind 127.0.0.1', 'start --https-port 443'],
  options: [
    dirOption,
    {
      flags: '--region <region>',
      meaning: 'of a rack in an AWS account, with its daemon, that is not known here; --rack names it',
    },
    {
      flags: '--tcp-bind <address>',
      meaning: 'where external tcp ports listen from now on, for a rack whose daemon is stopped',
    },
    {
      flags: '--https-port <port>',
      meaning: 'where apps are reached by TLS too from now on, or none; for a rack whose daemon is stopped',
    },
    {
      flags: '--api-by-https <yes|no>',
      meaning:
        "whether the API is served by TLS, under the rack's domain; for a rack whose daemon is stopped",
    },
    {
      flags: '--acme-dns-hook <program>',
      meaning:
        'PROGRAM present|cleanup NAME VALUE puts records into your DNS, for certificates of wildcards; or none',
    },
  ],
  needs: 'rack',
  async run(session) {
    const { world, output, isJson } = session
    if (session.options.text('region') !== undefined) {
      const { startFromElsewhere } = await import('../account/start-inside.ts')
      return await startFromElsewhere(session)
    }
    const inside = insideRackOf(session)
    if (inside) {
      if (isOfListeners(session)) throw noRouterOf(inside)
      const { startInside } = await import('../account/start-inside.ts')
      return await startInside(session, inside)
    }
    const installation = await withListeners(session, await findInstallation(session))
    const { name, directory } = installation
    const remark = isOnMachine(installation) ? tcpBindRemark(installation) : null
    if (remark) output.say(`${remark.detail}: ${remark.fix}`)
    const wasRunning = (await findDaemon(directory)) !== null
    if (!wasRunning) await finishGoingBack(directory)
    if (!wasRunning) await withUnit(name, 'start')
    const environment = await daemonEnvironment(directory, world.env)
    const pid = await startDaemon(installation, world.program, environment, machineControl())
    const started = `${name} ${wasRunning ? 'runs already' : 'is started'} (daemon ${pid})`
    const { tell, end } = tellComingBack(started, (text) => output.say(text))
    const isReady = await waitUntilReady(session, installation, {
      token: tokenOf(world.env, installation),
      tell,
    })
    if (isJson) return output.json(await readStatus(session, installation))
    end(isReady)
    if (!isOnMachine(installation)) return
    for (const port of await findUnserved(installation)) output.say(describeUnserved(port))
  },
}

/** Whether a start says what the router listens on. */
function isOfListeners({ options }: Pick<Session, 'options'>): boolean {
  return ['tcp-bind', 'https-port', 'acme-dns-hook', 'api-by-https'].some(
    (name) => options.text(name) !== undefined,
  )
}

function noRouterOf({ name, account }: InsideRack): RackError {
  return new RackError(
    'unsupported',
    `what the router listens on is for a rack on one machine, and ${name} is in the AWS account ${account.id}`,
  )
}

/**
 * The installation, changed where the command says so.
 * @throws conflict while a daemon has it; invalid; port-taken; unsupported for a rack without a router
 */
async function withListeners({ options }: Session, found: Installation): Promise<Installation> {
  if (!isOfListeners({ options })) return found
  const address = options.text('tcp-bind')
  const port = options.text('https-port')
  const hook = options.text('acme-dns-hook')
  const isApiByHttps = readYes(options.text('api-by-https'), '--api-by-https')
  const installation = onMachine(found, 'what the router listens on')
  if ((await findDaemon(installation.directory)) !== null) {
    const { name } = installation
    const where = address === undefined ? '' : `, with its tcp ports on ${tcpBindOf(installation)}`
    throw new RackError('conflict', `${name} runs${where}`, {
      hint: 'rack stop --keep-router keeps apps reachable meanwhile; then the same again',
    })
  }
  const changed = {
    ...(port === undefined ? installation : await withHttps(installation, port)),
    ...(isApiByHttps !== undefined && { apiByHttps: isApiByHttps }),
    ...(address !== undefined && { tcp: { bind: await ownAddress(address) } }),
    ...(hook !== undefined && { acmeDnsHook: hook === 'none' ? undefined : await ownProgram(hook) }),
  }
  await writeInstallation(changed)
  return changed
}

async function withHttps(installation: MachineInstallation, text: string): Promise<MachineInstallation> {
  const { https, ...rest } = installation
  if (text === 'none') return rest
  // Its router may serve there already.
  if (text === String(https?.port)) return installation
  return { ...rest, https: { port: await wantedHttpsPort(rest.http.bind, Number(text), rest.http.port) } }
}

/** What the daemon will start is named whole, and there. */
async function ownProgram(path: string): Promise<string> {
  if (await isProgram(path)) return path
  throw new RackError('invalid', `${path} is no program that can be started`, {
    hint: `Name it with its whole path, and let it be started: chmod +x ${path}`,
  })
}

/** `rack stop`. */
export const stop: CommandSpec = {
  name: 'stop',
  summary: 'stop the rack: its daemon and its router',
  description: [
    "The apps' processes run on, and nobody reaches them from outside until rack start. With --keep-router, and in an",
    'AWS account, requests are still served. A change that runs is taken up again at the next start.',
  ].join('\n'),
  examples: ['stop', 'stop --keep-router'],
  options: [dirOption, { flags: '--keep-router', meaning: 'apps stay reachable' }],
  needs: 'rack',
  async run(session) {
    const { output, isJson, options } = session
    const inside = insideRackOf(session)
    if (inside) {
      const { stopInside } = await import('../account/start-inside.ts')
      return await stopInside(session, inside)
    }
    const installation = await findInstallation(session)
    const { name, directory } = installation
    const control = machineControl()
    if (!options.flag('keep-router')) await withUnit(name, 'stop')
    const hadDaemon = await stopDaemon(directory, control)
    const hasRouter = isOnMachine(installation) && !options.flag('keep-router')
    const hadRouter = hasRouter && (await stopRouter(directory, control))
    if (isJson) return output.json(await readStatus(session, installation))
    output.say(
      hadDaemon || hadRouter
        ? `${name} is stopped; the processes of its apps run on`
        : `${name} was stopped already`,
    )
  },
}

/** `rack status`. */
export const status: CommandSpec = {
  name: 'status',
  summary: 'whether the rack runs, and where',
  examples: ['status', 'status --rack demo --json'],
  options: [dirOption],
  needs: 'rack',
  async run(session) {
    const found = await statusOf(session)
    if (session.isJson) session.output.json(found)
    else session.output.data(describe(session, found))
    for (const port of found.unservedPorts) session.output.say(describeUnserved(port))
  },
}

function describeRouter({ pid, load }: MachineStatus['router']): string {
  if (pid === null) return 'does not run'
  return load
    ? `process ${pid}, ${load.connections} of ${load.shares.connections} connections`
    : `process ${pid}`
}

function describeDaemon({
  daemon: { pid },
  account,
  socket,
}: Pick<MachineStatus, 'daemon' | 'account' | 'socket'>): string {
  if (pid === null) return 'does not run'
  return account && socket === undefined ? 'a task in the account' : `process ${pid}`
}

/** Where balancers of the account take the router's place. */
function isInAccount({ account, engine }: Pick<MachineStatus, 'account' | 'engine'>): boolean {
  return account !== undefined || engine?.name === 'ecs'
}

function describeAccount(account: MachineStatus['account']): string | undefined {
  return account && `${account.id} in ${account.region}`
}

/** No line where there is none but of the rack's own authority, or it is not told. */
function describeEnds(ends: MachineStatus['certificateEnds']): string | undefined {
  const [first, ...others] = ends ?? []
  if (!first) return undefined
  const more = others.length > 0 ? `, and ${others.length} more end soon (rack certs)` : ''
  return `${describeEnd(first)}${more}`
}

function describeRestoring(restoring: MachineStatus['restoring']): string | undefined {
  if (restoring === null) return undefined
  const { left, failed } = restoring
  if (failed !== null) return `not taken in: ${failed} (it is tried again; rack uninstall ends it)`
  return `${left[0]} is taken in (${left.length} left); apps wait for it`
}

async function statusOf(session: Session): Promise<Omit<MachineStatus, 'directory'>> {
  const inside = insideRackOf(session)
  if (inside) {
    const { insideStatus } = await import('../account/inside-status.ts')
    return await insideStatus(session, inside)
  }
  if (isElsewhere(session)) return await remoteStatus(session)
  return await readStatus(session, await findInstallation(session))
}

function isElsewhere({ options, world }: Session): boolean {
  if (options.text('dir') !== undefined) return false
  try {
    return selectRack(options.text('rack'), world.env).directory === undefined
  } catch (error) {
    if (error instanceof RackError && error.code === 'not-found') return false
    throw error
  }
}

function describe(
  { output, world }: Session,
  status: Omit<MachineStatus, 'directory'> & { directory?: string },
): string {
  const { green, red, yellow } = output.colors.data
  const paint = { running: green, updating: yellow, converging: yellow, stopped: red, unreachable: red }[
    status.status
  ]
  const isCurrent = readRacks(world.env).current === status.name
  return formatFacts([
    ['rack', isCurrent ? `${status.name} (current)` : status.name],
    ['status', status.status],
    ['version', status.version],
    ['daemon', describeDaemon(status)],
    ['router', isInAccount(status) ? undefined : describeRouter(status.router)],
    ['account', describeAccount(status.account)],
    ['engine', status.engine ? `${status.engine.name} ${status.engine.version}` : null],
    ['socket', status.socket],
    ['api', status.api],
    ['http', status.http],
    ['https', status.https],
    ['api by https', status.apiByHttps],
    ['domain', status.domain],
    ['apps', status.apps],
    ['degraded', status.degraded.length > 0 ? `${status.degraded.join(', ')} (rack apps says more)` : null],
    ['certificates', describeEnds(status.certificateEnds)],
    ['restoring', describeRestoring(status.restoring)],
    ['directory', status.directory],
  ]).replace(/^(status\s+)(.*)$/m, (_line, name: string, value: string) => name + paint(value))
}
