import { resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { checkEngine } from '../../host/engine-check.ts'
import { createFirewall } from '../../host/firewall.ts'
import { findGroup } from '../../host/find-group.ts'
import type { MachineInstallation } from '../../host/installation.ts'
import { readMachineFacts } from '../../host/machine-facts.ts'
import { makeInstallation, removeInstallation } from '../../host/make-installation.ts'
import { installDefaults, planInstallation, type InstallOptions } from '../../host/plan-installation.ts'
import { crontabLine, hasSystemd } from '../../host/start-at-boot.ts'
import { dockerSocket } from '../../lib/docker-socket.ts'
import { findPortHolder } from '../../lib/port-holder.ts'
import type { CommandSpec } from '../command-spec.ts'
import { defaultDirectory, defaultRackName, knownOnMachine } from '../find-installation.ts'
import { installAws } from './install-aws.ts'
import { keepRack, startInstalled } from '../install-rack.ts'
import { machineControl } from '../machine-control.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import { allowOptions, describePolicy, readPolicy } from '../policy-options.ts'
import { readHttpsPort, readNumber, readSize } from '../read-number.ts'
import { readYes } from '../read-yes.ts'
import { readRacks } from '../racks-file.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { Session } from '../session.ts'
import { apiUrl, connectTo, readStatus, waitUntilReady } from '../machine-status.ts'

/** `rack install`. */
export const install: CommandSpec = {
  name: 'install',
  summary: 'install a rack on this machine and start it',
  description: [
    'Needs Docker Engine 20.10 or newer and HAProxy 2.6 or newer, and root or membership of the docker group.',
    'Defaults: the first free of ports 80 and 8080 for http on all addresses; the API on a socket that is yours alone;',
    "10.213.0.0/16 (or the next that is free) for the apps' networks, a /24 each; all of the machine but 256 cpu units",
    'and 512 MiB; /var/lib/rack/NAME for root, else rack/NAME in the XDG data folder.',
  ].join('\n'),
  examples: [
    'install',
    'install --name demo --http-port 8080 --https-port 8443',
    'install --allow-bind /srv/shared',
    'install --name second --dir /srv/second --cpu 2048 --memory 4g --pool 10.220.0.0/16',
  ],
  options: [
    { flags: '--name <name>', meaning: `the rack's name ("${defaultRackName}")` },
    { flags: '--dir <directory>', meaning: 'where all of it lies' },
    { flags: '--http-port <port>', meaning: 'where apps are reached (80, else 8080)' },
    { flags: '--http-bind <address>', meaning: `the address for it (${installDefaults.httpBind})` },
    {
      flags: '--https-port <port>',
      meaning: 'where they are reached by TLS too, or none (443 beside 80, 8443 beside 8080, else nowhere)',
    },
    {
      flags: '--api-by-https <yes|no>',
      meaning: "whether the API is served there too, under the rack's domain, to who has a token (yes)",
    },
    {
      flags: '--acme-directory <url>',
      meaning:
        'who gives certificates for public domains, such as letsencrypt (nobody); you agree with its terms',
    },
    { flags: '--acme-email <address>', meaning: 'where it writes to' },
    { flags: '--tcp-bind <address>', meaning: 'the address for external tcp ports (that of http)' },
    {
      flags: '--trusted-proxies <ranges>',
      meaning: 'addresses of proxies in front, such as 10.0.0.0/8,::1: their X-Forwarded-* are believed',
      multiple: true,
    },
    {
      flags: '--api-group <name>',
      meaning: "a group whose members may use the API's socket, each with a token",
    },
    {
      flags: '--api-port <port>',
      meaning: 'the API by TCP on loopback too, where any user of the machine may call (no)',
    },
    { flags: '--domain <domain>', meaning: `apps are reached as <app>.<domain> (${installDefaults.domain})` },
    { flags: '--pool <cidr>', meaning: "addresses for the apps' networks" },
    { flags: '--cpu <units>', meaning: 'what apps may have in total; 1024 units are a core' },
    { flags: '--memory <size>', meaning: 'what apps may have in total, such as 4g' },
    { flags: '--reserve-cpu <units>', meaning: 'kept back of the machine when --cpu is not given (256)' },
    { flags: '--reserve-memory <size>', meaning: 'kept back when --memory is not given (512m)' },
    {
      flags: '--socket <path>',
      meaning: `Docker Engine's socket (of DOCKER_HOST, else ${installDefaults.socketPath})`,
    },
    ...allowOptions,
  ],
  commands: [installAws],
  needs: 'nothing',
  async run(session) {
    const { output, world, isJson } = session
    const options = await readInstallOptions(session)
    const installation = await planned(session, options)
    const interrupt = new AbortController()
    const reason = new RackError('cancelled', 'the install was interrupted', {
      hint: 'Nothing of it was left.',
    })
    using listening = new DisposableStack()
    listening.defer(world.onLeave(() => interrupt.abort(reason)))
    await using undo = new AsyncDisposableStack()
    const token = await makeInstallation(installation, world.env)
    undo.defer(() => removeInstallation(installation))
    output.say(`installing ${installation.name} in ${installation.directory}`)
    await questionTotal(session, installation)
    await tellOfMetadata(session, installation)
    await keepRack(session, installation, token, undo)
    await startInstalled(session, installation, undo, interrupt.signal)
    interrupt.signal.throwIfAborted()
    undo.move()
    await waitUntilReady(session, installation, { token })
    const isAsked = await askAuthority(session, installation, token)
    if (isJson) output.json(await readStatus(session, installation))
    else await printInstalled(session, installation)
    return isAsked ? 0 : 1
  },
}

/** False where the authority that was named gives the rack no account: it is up without. */
async function askAuthority(
  { options, output }: Session,
  installation: MachineInstallation,
  token: string,
): Promise<boolean> {
  const directory = options.text('acme-directory')
  const email = options.text('acme-email')
  if (directory === undefined) return true
  try {
    const client = await connectTo(installation, token)
    const { terms } = await client.changeAcme({ body: { directory, ...(email !== undefined && { email }) } })
    output.say(`public domains get certificates of ${directory}${terms ? `; the terms: ${terms}` : ''}`)
    return true
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    output.say(output.colors.say.yellow(error.message))
    if (error.hint !== undefined) output.say(`  ${error.hint}`)
    output.say(`  then: rack certs acme --directory ${directory}`)
    return false
  }
}

async function planned({ world }: Session, options: InstallOptions): Promise<MachineInstallation> {
  const { racks } = readRacks(world.env)
  if (racks.some(({ name }) => name === options.name)) {
    throw new RackError('exists', `a rack "${options.name}" is known here already`, {
      hint: 'rack start starts it; choose another name: --name NAME; rack racks forget NAME takes it off the list',
    })
  }
  await checkEngine(options.socketPath ?? dockerSocket(world.env))
  return await planInstallation(options, await readMachineFacts(), await knownOnMachine(world.env))
}

/** More than the machine has may be meant, since cpu is shared; that it may not be is said. */
async function questionTotal({ output }: Session, { total }: MachineInstallation): Promise<void> {
  const machine = await readMachineFacts()
  const parts = [
    ...(total.cpuUnits > machine.cpuUnits
      ? [`--cpu ${total.cpuUnits}: it has ${machine.cpuUnits} units`]
      : []),
    ...(total.memoryBytes > machine.memoryBytes
      ? [`--memory ${formatBytes(total.memoryBytes)}: it has ${formatBytes(machine.memoryBytes)}`]
      : []),
  ]
  if (parts.length === 0) return
  const text = `is more meant than this machine has? ${parts.join(', ')}; copies will be admitted that it has no room for`
  output.say(output.colors.say.yellow(text))
}

/** That apps reach it is said before there are any. */
async function tellOfMetadata({ output }: Session, installation: MachineInstallation): Promise<void> {
  if (installation.policy?.metadata === true) return
  try {
    await createFirewall(installation).isClosed(machineControl())
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    const { message, hint } = error
    output.say(
      output.colors.say.yellow(
        `apps will reach this machine's metadata service, 169.254.169.254: ${message}`,
      ),
    )
    if (hint !== undefined) output.say(`  ${hint}`)
  }
}

async function printInstalled(
  { output, world, options }: Session,
  installation: MachineInstallation,
): Promise<void> {
  const { name, http, https, total, domain, policy } = installation
  const port = http.port === 80 ? '' : `:${http.port}`
  output.data(apiUrl(installation))
  output.say(output.colors.say.green(`${name} is up`))
  output.say(`  apps   http://<app>.${domain}${port}, on ${http.bind} port ${http.port}`)
  if (https) {
    const shown = https.port === 443 ? '' : `:${https.port}`
    output.say(`  https  https://<app>.${domain}${shown}; rack certs ca > ca.pem is whom to believe`)
  } else if (options.text('https-port') === undefined) await tellNoHttps(output, http.port)
  output.say(`  room   ${describeResources(total)}`)
  output.say(`  pool   ${installation.pool.cidr}`)
  if (policy) output.say(`  policy ${describePolicy(policy)}`)
  if (await hasSystemd()) output.say('  boot   systemd starts it')
  else {
    const line = await crontabLine(installation, world.program)
    output.say(`  boot   add this line to the crontab (crontab -e):\n         ${line}`)
  }
  output.say('next: rack deploy, in a directory with a docker-compose.yml')
}

/** Whoever has asked for nothing would have had it, were its usual port free. */
async function tellNoHttps(output: Session['output'], httpPort: number): Promise<void> {
  const port = installDefaults.httpsPorts.get(httpPort)
  if (port === undefined) return
  const holder = await findPortHolder(port)
  const who = holder ? `process ${holder.pid} (${holder.program})` : 'another rack or program'
  output.say(output.colors.say.yellow(`  https  nowhere: port ${port} is held by ${who}`))
  output.say(`         once it is free: rack stop --keep-router; rack start --https-port ${port}`)
}

async function readInstallOptions(session: Session): Promise<InstallOptions> {
  const { options, world } = session
  const name = options.text('name') ?? defaultRackName
  const directory = options.text('dir')
  const group = options.text('api-group')
  return {
    name,
    directory: directory === undefined ? defaultDirectory(name, world.env) : resolve(world.cwd, directory),
    apiGroup: group === undefined ? undefined : await findGroup(group),
    apiPort: readNumber(options.text('api-port'), '--api-port'),
    httpPort: readNumber(options.text('http-port'), '--http-port'),
    httpBind: options.text('http-bind'),
    httpsPort: readHttpsPort(options.text('https-port')),
    apiByHttps: readYes(options.text('api-by-https'), '--api-by-https'),
    tcpBind: options.text('tcp-bind'),
    trustedProxies: trustedProxiesOf(session),
    domain: options.text('domain'),
    pool: options.text('pool'),
    cpuUnits: readNumber(options.text('cpu'), '--cpu'),
    memoryBytes: readSize(options.text('memory'), '--memory'),
    reserveCpuUnits: readNumber(options.text('reserve-cpu'), '--reserve-cpu'),
    reserveMemoryBytes: readSize(options.text('reserve-memory'), '--reserve-memory'),
    socketPath: options.text('socket') ?? dockerSocket(world.env),
    policy: readPolicy(session),
  }
}

function trustedProxiesOf({ options }: Session): string[] | undefined {
  const ranges = options.list('trusted-proxies').flatMap((text) => text.split(','))
  return ranges.length > 0 ? ranges.map((range) => range.trim()) : undefined
}
