import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { isThere, listIfThere, readTextIfThere } from '../lib/files.ts'
import { usualDockerSocket } from '../lib/docker-socket.ts'
import { configPath, haproxyArguments } from '../router/haproxy-program.ts'
import { daemonCommand, type DaemonProgram } from './daemon.ts'
import { installationPaths, type Installation } from './installation.ts'
import { defaultNameRange } from './name-table.ts'
import { lastingCommand } from './versions.ts'

const run = promisify(execFile)
const unitFolder = '/etc/systemd/system'
const systemctlDeadlineMs = 60_000

/** The units of a rack by file name: its daemon, its router, which serves on while the daemon is down, and its names. */
export function systemdUnits(installation: Installation, program: DaemonProgram): Record<string, string> {
  const { daemon, router, names } = unitNames(installation.name)
  return {
    [daemon]: daemonUnit(installation, program),
    [router]: routerUnit(installation),
    [names]: namesUnit(installation),
  }
}

function daemonUnit({ name, directory, socketPath }: Installation, program: DaemonProgram): string {
  const isUsualEngine = socketPath === usualDockerSocket
  return unitText({
    Unit: [
      `Description=Rack ${name}`,
      `After=network.target docker.service ${unitNames(name).router}`,
      ...(isUsualEngine ? ['Wants=docker.service'] : []),
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

function routerUnit({ name, directory }: Installation): string {
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
function namesUnit({ name, directory, names }: Installation): string {
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
  for (const [file, text] of Object.entries(systemdUnits(installation, program))) {
    await writeFileAtomically(`${unitFolder}/${file}`, text)
  }
  await systemctl('daemon-reload')
  const { daemon, router, names } = unitNames(installation.name)
  await systemctl('enable', daemon, router, names)
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
  if (isUnit && verb === 'stop') await systemctl('stop', daemon, router)
  else if (isUnit) await systemctl(verb === 'start' ? 'start' : 'stop', daemon)
  return isUnit
}

/** Takes the units away; safe to repeat. */
export async function removeUnits(name: string): Promise<void> {
  if (!(await withUnit(name, 'stop'))) return
  const { daemon, router, names } = unitNames(name)
  await systemctl('disable', daemon, router, names)
  for (const file of [daemon, router, names]) await rm(`${unitFolder}/${file}`, { force: true })
  await systemctl('daemon-reload')
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
