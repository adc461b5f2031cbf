import { resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { startDaemon, stopDaemon } from '../../host/daemon.ts'
import { checkEngine } from '../../host/engine-check.ts'
import type { Installation } from '../../host/installation.ts'
import { readMachineFacts } from '../../host/machine-facts.ts'
import { daemonEnvironment, makeInstallation, removeInstallation } from '../../host/make-installation.ts'
import { installDefaults, planInstallation, type InstallWishes } from '../../host/plan-installation.ts'
import { stopRouter } from '../../host/router-process.ts'
import { crontabLine, enableUnits, hasSystemd, removeUnits, withUnit } from '../../host/start-at-boot.ts'
import { parseBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { defaultDirectory, defaultRackName, knownInstallations } from '../find-installation.ts'
import { machineControl } from '../machine-control.ts'
import { describe } from '../output/admission.ts'
import { allowOptions, describePolicy, readPolicy } from '../policy-options.ts'
import { changeRacks, readRacks, withoutRack, withRack } from '../racks-file.ts'
import type { Session } from '../session.ts'
import { apiUrl, readStatus, waitUntilReady } from '../machine-status.ts'

/** `rack install`. */
export const install: CommandSpec = {
  name: 'install',
  summary: 'install a rack on this machine and start it',
  description: [
    'Needs Docker Engine 20.10 or newer and HAProxy 2.6 or newer, and root or membership of the docker group.',
    'Defaults: the first free of ports 80 and 8080 for http on all addresses; the API on loopback, from port 5480 on;',
    "10.213.0.0/16 (or the next that is free) for the apps' networks, a /24 each; all of the machine but 256 cpu units",
    'and 512 MiB; /var/lib/rack/NAME for root, else rack/NAME in the XDG data folder.',
  ].join('\n'),
  examples: [
    'install',
    'install --name demo --http-port 8080',
    'install --allow-bind /srv/shared',
    'install --name second --dir /srv/second --cpu 2048 --memory 4g --pool 10.220.0.0/16',
  ],
  options: [
    { flags: '--name <name>', meaning: `the rack's name ("${defaultRackName}")` },
    { flags: '--dir <directory>', meaning: 'where all of it lies' },
    { flags: '--http-port <port>', meaning: 'where apps are reached (80, else 8080)' },
    { flags: '--http-bind <address>', meaning: `the address for it (${installDefaults.httpBind})` },
    { flags: '--api-port <port>', meaning: 'where the API listens, on loopback (5480 or the next free)' },
    { flags: '--domain <domain>', meaning: `apps are reached as <app>.<domain> (${installDefaults.domain})` },
    { flags: '--pool <cidr>', meaning: "addresses for the apps' networks" },
    { flags: '--cpu <units>', meaning: 'what apps may have in total; 1024 units are a core' },
    { flags: '--memory <size>', meaning: 'what apps may have in total, such as 4g' },
    { flags: '--reserve-cpu <units>', meaning: 'kept back of the machine when --cpu is not given (256)' },
    { flags: '--reserve-memory <size>', meaning: 'kept back when --memory is not given (512m)' },
    { flags: '--socket <path>', meaning: `Docker Engine's socket (${installDefaults.socketPath})` },
    ...allowOptions,
  ],
  needs: 'nothing',
  async run(session) {
    const { output, world, isJson } = session
    const wishes = readWishes(session)
    const installation = await planned(session, wishes)
    const interrupt = new AbortController()
    const reason = new RackError('cancelled', 'the install was interrupted', {
      hint: 'Nothing of it was left.',
    })
    using listening = new DisposableStack()
    listening.defer(world.onInterrupt(() => interrupt.abort(reason)))
    await using undo = new AsyncDisposableStack()
    const token = await makeInstallation(installation, world.env)
    undo.defer(() => removeInstallation(installation.directory))
    output.say(`installing ${installation.name} in ${installation.directory}`)
    await keepRack(session, installation, token, undo)
    await startInstalled(session, installation, undo, interrupt.signal)
    interrupt.signal.throwIfAborted()
    undo.move()
    await waitUntilReady(session, installation, token)
    if (isJson) return output.json(await readStatus(session, installation))
    printInstalled(session, installation, await hasSystemd())
  },
}

async function planned({ world }: Session, wishes: InstallWishes): Promise<Installation> {
  const { racks } = readRacks(world.env)
  if (racks.some(({ name }) => name === wishes.name)) {
    throw new RackError('exists', `a rack "${wishes.name}" is known here already`, {
      hint: 'rack start starts it; choose another name: --name NAME; rack racks forget NAME takes it off the list',
    })
  }
  await checkEngine(wishes.socketPath ?? installDefaults.socketPath)
  return await planInstallation(wishes, await readMachineFacts(), await knownInstallations(world.env))
}

async function keepRack(
  { world }: Session,
  installation: Installation,
  token: string,
  undo: AsyncDisposableStack,
): Promise<void> {
  const { name, directory } = installation
  const { current } = readRacks(world.env)
  await changeRacks(world.env, (known) =>
    withRack(known, { name, url: apiUrl(installation), token, directory }),
  )
  undo.defer(() => changeRacks(world.env, (known) => ({ ...withoutRack(known, name), current })))
}

async function startInstalled(
  { world }: Session,
  installation: Installation,
  undo: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<void> {
  const { name, directory } = installation
  // What undoes it must not end with what was interrupted.
  const control = machineControl()
  undo.defer(async () => {
    await removeUnits(name)
    await stopDaemon(directory, control)
    await stopRouter(directory, control)
  })
  if (await hasSystemd()) {
    await enableUnits(installation, world.program)
    await withUnit(name, 'start')
  }
  const environment = await daemonEnvironment(directory, world.env)
  const starting = startDaemon(installation, world.program, environment, machineControl(signal))
  await starting.catch((error: unknown) => {
    if (!(error instanceof RackError) || signal.aborted) throw error
    const { code, message, details } = error
    // Its own hint names the log, which goes with the directory.
    throw new RackError(code, message, {
      hint: 'Nothing of it was left. What this machine lacks: rack doctor',
      details,
      cause: error,
    })
  })
}

function printInstalled({ output, world }: Session, installation: Installation, isUnit: boolean): void {
  const { name, http, total, domain, policy } = installation
  const port = http.port === 80 ? '' : `:${http.port}`
  output.data(apiUrl(installation))
  output.say(output.colors.say.green(`${name} is up`))
  output.say(`  apps   http://<app>.${domain}${port}, on ${http.bind} port ${http.port}`)
  output.say(`  room   ${describe(total)}`)
  output.say(`  pool   ${installation.pool.cidr}`)
  if (policy) output.say(`  policy ${describePolicy(policy)}`)
  if (isUnit) output.say('  boot   systemd starts it')
  else
    output.say(
      `  boot   add this line to the crontab (crontab -e):\n         ${crontabLine(installation, world.program)}`,
    )
  output.say('next: rack deploy, in a directory with a docker-compose.yml')
}

function readWishes(session: Session): InstallWishes {
  const { options, world } = session
  const name = options.text('name') ?? defaultRackName
  const directory = options.text('dir')
  return {
    name,
    directory: directory === undefined ? defaultDirectory(name, world.env) : resolve(world.cwd, directory),
    apiPort: number(options.text('api-port'), '--api-port'),
    httpPort: number(options.text('http-port'), '--http-port'),
    httpBind: options.text('http-bind'),
    domain: options.text('domain'),
    pool: options.text('pool'),
    cpuUnits: number(options.text('cpu'), '--cpu'),
    memoryBytes: bytes(options.text('memory'), '--memory'),
    reserveCpuUnits: number(options.text('reserve-cpu'), '--reserve-cpu'),
    reserveMemoryBytes: bytes(options.text('reserve-memory'), '--reserve-memory'),
    socketPath: options.text('socket'),
    policy: readPolicy(session),
  }
}

function number(text: string | undefined, flag: string): number | undefined {
  if (text === undefined || /^\d{1,9}$/.test(text)) return text === undefined ? undefined : Number(text)
  throw new RackError('usage', `${flag}: "${text}" is not a whole number`)
}

function bytes(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  const size = parseBytes(text)
  if (size !== null) return size
  throw new RackError('usage', `${flag}: "${text}" is not a size`, { hint: 'Such as 512m or 4g.' })
}
