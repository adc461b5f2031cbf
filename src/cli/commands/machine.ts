import { findDaemon, startDaemon, stopDaemon } from '../../host/daemon.ts'
import { daemonEnvironment } from '../../host/make-installation.ts'
import { stopRouter } from '../../host/router-process.ts'
import { withUnit } from '../../host/start-at-boot.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { findInstallation } from '../find-installation.ts'
import { machineControl } from '../machine-control.ts'
import { readStatus, tokenOf, waitUntilReady, type MachineStatus } from '../machine-status.ts'
import { formatFacts } from '../output/table.ts'
import { readRacks } from '../racks-file.ts'
import { selectRack } from '../select-rack.ts'
import type { Session } from '../session.ts'

const dirOption: OptionSpec = { flags: '--dir <directory>', meaning: 'where the rack lies' }

/** `rack start`. */
export const start: CommandSpec = {
  name: 'start',
  summary: 'start the rack: its daemon, and its router when it does not run',
  description:
    'Safe to repeat. Apps come back by themselves, whether the daemon was stopped, killed, or the machine restarted.',
  examples: ['start', 'start --rack demo'],
  options: [dirOption],
  needs: 'rack',
  async run(session) {
    const { world, output, isJson } = session
    const installation = await findInstallation(session)
    const { name, directory } = installation
    const wasRunning = (await findDaemon(directory)) !== null
    if (!wasRunning) await withUnit(name, 'start')
    const environment = await daemonEnvironment(directory, world.env)
    const pid = await startDaemon(installation, world.program, environment, machineControl())
    await waitUntilReady(session, installation, tokenOf(world.env, installation))
    if (isJson) return output.json(await readStatus(session, installation))
    output.say(`${name} ${wasRunning ? 'runs already' : 'is started'} (daemon ${pid})`)
  },
}

/** `rack stop`. */
export const stop: CommandSpec = {
  name: 'stop',
  summary: 'stop the rack: its daemon and its router',
  description: [
    "The apps' processes run on, and nobody reaches them from outside until rack start. With --keep-router requests are",
    'still served. A change that runs is taken up again at the next start.',
  ].join('\n'),
  examples: ['stop', 'stop --keep-router'],
  options: [dirOption, { flags: '--keep-router', meaning: 'apps stay reachable' }],
  needs: 'rack',
  async run(session) {
    const { output, isJson, options } = session
    const installation = await findInstallation(session)
    const { name, directory } = installation
    const control = machineControl()
    if (!options.flag('keep-router')) await withUnit(name, 'stop')
    const hadDaemon = await stopDaemon(directory, control)
    const hadRouter = options.flag('keep-router') ? false : await stopRouter(directory, control)
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
    const found = isElsewhere(session) ? await remoteStatus(session) : await localStatus(session)
    if (session.isJson) session.output.json(found)
    else session.output.data(describe(session, found))
  },
}

async function localStatus(session: Session): Promise<MachineStatus> {
  return await readStatus(session, await findInstallation(session))
}

async function remoteStatus(session: Session): Promise<Omit<MachineStatus, 'directory'>> {
  const client = await session.connect()
  const { name, status, version, daemon, router, http, domain, apps, engine } = await client.getRack()
  return { name, status, version, daemon, router, api: session.rack().url, http, domain, apps, engine }
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
    ['daemon', status.daemon.pid === null ? 'does not run' : `process ${status.daemon.pid}`],
    ['router', status.router.pid === null ? 'does not run' : `process ${status.router.pid}`],
    ['engine', status.engine ? `${status.engine.name} ${status.engine.version}` : null],
    ['api', status.api],
    ['http', status.http],
    ['domain', status.domain],
    ['apps', status.apps],
    ['directory', status.directory],
  ]).replace(/^(status\s+)(.*)$/m, (_line, name: string, value: string) => name + paint(value))
}
