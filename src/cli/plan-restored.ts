import { resolve } from 'node:path'
import { RackError } from '../domain/error.ts'
import { isProgram } from '../host/dns-hook.ts'
import { checkEngine } from '../host/engine-check.ts'
import { findGroup } from '../host/find-group.ts'
import type { MachineInstallation } from '../host/installation.ts'
import { readMachineFacts } from '../host/machine-facts.ts'
import { planAgain } from '../host/plan-again.ts'
import type { InstallOptions } from '../host/plan-installation.ts'
import { dockerSocket } from '../lib/docker-socket.ts'
import { defaultDirectory, knownOnMachine } from './find-installation.ts'
import { readHttpsPort, readNumber, readSize } from './read-number.ts'
import { readRacks } from './racks-file.ts'
import type { Session } from './session.ts'

/** A rack as it was installed, where nothing else is said, on what this machine has. @throws exists; as an install does */
export async function planRestored(
  session: Session,
  before: MachineInstallation,
): Promise<MachineInstallation> {
  const { options, world } = session
  const { name } = before
  if (readRacks(world.env).racks.some((known) => known.name === name)) {
    throw new RackError('exists', `there is a rack "${name}" already, and nothing was changed`, {
      hint: "Remove it first: rack uninstall; or rack racks forget takes another machine's off the list",
    })
  }
  const directory = options.text('dir')
  const socketPath = options.text('socket') ?? dockerSocket(world.env)
  await checkEngine(socketPath)
  const wanted = {
    directory: directory === undefined ? defaultDirectory(name, world.env) : resolve(world.cwd, directory),
    apiGroup: await groupOf(session, before),
    httpPort: readNumber(options.text('http-port'), '--http-port'),
    httpBind: options.text('http-bind'),
    httpsPort: readHttpsPort(options.text('https-port')),
    tcpBind: options.text('tcp-bind'),
    pool: options.text('pool'),
    cpuUnits: readNumber(options.text('cpu'), '--cpu'),
    memoryBytes: readSize(options.text('memory'), '--memory'),
    socketPath,
  }
  const others = await knownOnMachine(world.env)
  const planned = await planAgain(before, wanted, await readMachineFacts(), others)
  return { ...planned, ...(await hookOf(session, before)) }
}

/** Who else may use the socket, where this machine knows them. */
async function groupOf(
  { output }: Session,
  { socket }: MachineInstallation,
): Promise<InstallOptions['apiGroup']> {
  if (!socket.group) return undefined
  const { name } = socket.group
  return await findGroup(name).catch((error: unknown) => {
    if (!(error instanceof RackError)) throw error
    output.say(`this machine has no group ${name}: the API's socket will be yours alone`)
    return undefined
  })
}

/** The program for the DNS, where this machine has it: without it wildcards get no certificate. */
async function hookOf({ output }: Session, { acmeDnsHook: program }: MachineInstallation) {
  if (program === undefined || (await isProgram(program))) return { ...(program && { acmeDnsHook: program }) }
  output.say(`this machine has no program ${program}, so wildcards get no certificates: put it there, then`)
  output.say(`  rack stop --keep-router; rack start --acme-dns-hook ${program}`)
  return {}
}
