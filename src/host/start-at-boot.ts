import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { isThere, listIfThere, readTextIfThere } from '../lib/files.ts'
import { usualDockerSocket } from '../lib/docker-socket.ts'
import { configPath, haproxyArguments } from '../router/haproxy-program.ts'
import { daemonCommand, type DaemonProgram } from './daemon.ts'
import {
  installationPaths,
  isOnMachine,
  type Installation,
  type MachineInstallation,
} from './installation.ts'
import { defaultNameRange } from './name-table.ts'
import { lastingCommand } from './versions.ts'

const run = promisify(execFile)
const unitFolder = '/etc/systemd/system'
const systemctlDeadlineMs = 60_000

/**
 * The units of a rack by file name: its daemon, and of a rack on one machine its router, which serves on while the daemon
 * is down, and its names.
 */
export function systemdUnits(installation: Installation, program: DaemonProgram): Record<string, string> {
  const { daemon, router, names } = unitNames(installation.name)
  return {
    [daemon]: daemonUnit(installation, program),
    ...(isOnMachine(installation) && {
      [router]: routerUnit(installation),
      [names]: namesUnit(installation),
    }),
  }
}

function daemonUnit(installation: Installation, program: DaemonProgram): string {
  const { name, directory } = installation
  return unitText({
    Unit: [
      `Description=Rack ${name}`,
      ...(isOnMachine(installation) ? afterEngine(installation) : afterNetwork),
    ],
    Service: [
      `ExecStart=${daemonCommand(program, directory).map(quoted).join(' ')}`,
      `EnvironmentFile=-${asPath(installationPaths(directory).environment)}`,
      'Restart=always',
      'RestartSec=1',
      "# The router is not the daemon's to take along.",
      'KillMode=process',
    ],
  })
}

/** An account is called over it. */
const afterNetwork = ['After=network-online.target', 'Wants=network-online.target']

function afterEngine({ name, socketPath }: MachineInstallation): string[] {
  const isUsualEngine = socketPath === usualDockerSocket
  return [
    `After=network.target docker.service ${unitNames(name).router}`,
    ...(isUsualEngine ? ['Wants=docker.service'] : []),
  ]
}

function routerUnit({ name, directory }: MachineInstallation): string {
  const { router } = installationPaths(directory)
  return unitText({
    Unit: [
      `Description=Router of the rack ${name}`,
      'After=network.target',
      '# The daemon writes it when it first starts, and starts the router then.',
      `ConditionPathExists=${asPath(configPath(router))}`,
    ],
    Service: [
      `ExecStart=/usr/sbin/haproxy ${haproxyArguments(router).map(quoted).join(' ')}`,
      `WorkingDirectory=${asPath(router)}`,
      'Restart=on-failure',
      'SuccessExitStatus=143',
    ],
  })
}

/** The addresses of copies outlive a boot, and so do the rules that lead to them: they are there before the copies. */
function namesUnit({ name, directory, names }: MachineInstallation): string {
  const { names: rules } = installationPaths(directory)
  return unitText({
    Unit: [
      `Description=Names of the rack ${name}`,
      'Before=docker.service',
      '# The daemon writes it whenever it changes them.',
      `ConditionPathExists=${asPath(rules)}`,
    ],
    Service: [
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=-/usr/sbin/ip route replace unreachable ${names?.cidr ?? defaultNameRange}`,
      `ExecStart=/usr/sbin/nft --file ${quoted(rules)}`,
    ],
  })
}

function unitText(sections: Record<string, string[]>): string {
  const all = { ...sections, Install: ['WantedBy=multi-user.target'] }
  return Object.entries(all)
    .map(([name, lines]) => `[${name}]\n${lines.join('\n')}\n`)
    .join('\n')
}

/** The line for the crontab where there is no systemd; cron's own PATH lacks the folders of HAProxy. */
export async function crontabLine({ directory }: Installation, program: DaemonProgram): Promise<string> {
  const command = [await lastingCommand(program), 'start', '--dir', directory].map(shellQuoted).join(' ')
  return `@reboot PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ${command}`
}

/** Whether systemd runs this machine and this user may give it units. */
export async function hasSystemd(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  return await isThere('/run/systemd/system')
}

/** Has systemd start the rack at boot, and its daemon now. @throws host-failed */
export async function enableUnits(installation: Installation, program: DaemonProgram): Promise<void> {
  const units = systemdUnits(installation, program)
  for (const [file, text] of Object.entries(units)) await writeFileAtomically(`${unitFolder}/${file}`, text)
  await systemctl('daemon-reload')
  await systemctl('enable', ...Object.keys(units))
}

/** Whether systemd starts the rack. */
export async function hasUnit(name: string): Promise<boolean> {
  if (!(await hasSystemd())) return false
  return await isThere(`${unitFolder}/${unitNames(name).daemon}`)
}

/** The launcher that systemd starts the rack with; null where it does not. */
export async function programOfUnit(name: string): Promise<string | null> {
  if (!(await hasUnit(name))) return null
  const text = await readFile(`${unitFolder}/${unitNames(name).daemon}`, 'utf8')
  return /^ExecStart="[^"]*" "([^"]*)"/m.exec(text)?.[1] ?? null
}

/** All that the units of racks on this machine start. */
export async function unitTexts(): Promise<string[]> {
  const names = (await listIfThere(unitFolder)).filter((name) => /^rack-.*\.service$/.test(name))
  return (await Promise.all(names.map((name) => readTextIfThere(`${unitFolder}/${name}`)))).map(
    (text) => text ?? '',
  )
}

/** Starts the daemon's unit, or stops it, with the router's or alone; false when there is none. */
export async function withUnit(name: string, verb: 'start' | 'stop' | 'stop-daemon'): Promise<boolean> {
  const { daemon, router } = unitNames(name)
  const isUnit = await hasUnit(name)
  if (isUnit && verb === 'stop') await systemctl('stop', ...(await thereOf([daemon, router])))
  else if (isUnit) await systemctl(verb === 'start' ? 'start' : 'stop', daemon)
  return isUnit
}

/** Takes the units away; safe to repeat. */
export async function removeUnits(name: string): Promise<void> {
  if (!(await withUnit(name, 'stop'))) return
  const units = await thereOf(Object.values(unitNames(name)))
  await systemctl('disable', ...units)
  for (const file of units) await rm(`${unitFolder}/${file}`, { force: true })
  await systemctl('daemon-reload')
}

/** A rack in an account has the daemon's alone. */
async function thereOf(units: string[]): Promise<string[]> {
  const found = await listIfThere(unitFolder)
  return units.filter((unit) => found.includes(unit))
}

function unitNames(name: string) {
  return {
    daemon: `rack-${name}.service`,
    router: `rack-${name}-router.service`,
    names: `rack-${name}-names.service`,
  }
}

async function systemctl(...args: string[]): Promise<void> {
  try {
    await run('systemctl', args, { timeout: systemctlDeadlineMs })
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim() || (cause as Error).message
    throw new RackError('host-failed', `systemctl ${args.join(' ')} failed: ${said}`, { cause })
  }
}

/** systemd reads `%` and `$` in a command, and splits at blanks. */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`
}

/** Where a path stands alone, systemd takes all of the line for it, and reads `%` alone. */
function asPath(path: string): string {
  return path.replaceAll('%', '%%')
}

function shellQuoted(text: string): string {
  const quoted = /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
  // cron takes a bare percent sign for the end of the command.
  return quoted.replaceAll('%', String.raw`\%`)
}
