import { execFile } from 'node:child_process'
import { access, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { daemonCommand, type DaemonProgram } from './daemon.ts'
import { installationPaths, type Installation } from './installation.ts'
import { routerConfiguration } from './router-process.ts'

const run = promisify(execFile)
const unitFolder = '/etc/systemd/system'
const systemctlDeadlineMs = 60_000

/** The units of a rack by file name: its daemon, and its router, which serves on while the daemon is down. */
export function systemdUnits(installation: Installation, program: DaemonProgram): Record<string, string> {
  const { daemon, router } = unitNames(installation.name)
  return { [daemon]: daemonUnit(installation, program), [router]: routerUnit(installation) }
}

function daemonUnit({ name, directory, socketPath }: Installation, program: DaemonProgram): string {
  const isUsualEngine = socketPath === '/var/run/docker.sock'
  return unitText({
    Unit: [
      `Description=Rack ${name}`,
      `After=network.target docker.service ${unitNames(name).router}`,
      ...(isUsualEngine ? ['Wants=docker.service'] : []),
    ],
    Service: [
      `ExecStart=${daemonCommand(program, directory).map(quoted).join(' ')}`,
      `EnvironmentFile=-${installationPaths(directory).environment}`,
      'Restart=always',
      'RestartSec=1',
      "# The router is not the daemon's to take along.",
      'KillMode=process',
    ],
  })
}

function routerUnit({ name, directory }: Installation): string {
  const { router } = installationPaths(directory)
  const configuration = routerConfiguration(directory)
  const options = [
    '-W',
    '-S',
    `${router}/master.sock,mode,600`,
    '-p',
    `${router}/haproxy.pid`,
    '-f',
    configuration,
  ]
  return unitText({
    Unit: [
      `Description=Router of the rack ${name}`,
      'After=network.target',
      '# The daemon writes it when it first starts, and starts the router then.',
      `ConditionPathExists=${configuration}`,
    ],
    Service: [
      `ExecStart=/usr/sbin/haproxy ${options.map(quoted).join(' ')}`,
      `WorkingDirectory=${router}`,
      'Restart=on-failure',
      'SuccessExitStatus=143',
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
export function crontabLine({ directory }: Installation, { script }: DaemonProgram): string {
  const command = [join(dirname(script), 'rack'), 'start', '--dir', directory].map(shellQuoted).join(' ')
  return `@reboot PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ${command}`
}

/** Whether systemd runs this machine and this user may give it units. */
export async function hasSystemd(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false
  return await access('/run/systemd/system').then(
    () => true,
    () => false,
  )
}

/** Has systemd start the rack at boot, and its daemon now. @throws host-failed */
export async function enableUnits(installation: Installation, program: DaemonProgram): Promise<void> {
  for (const [file, text] of Object.entries(systemdUnits(installation, program))) {
    await writeFileAtomically(`${unitFolder}/${file}`, text)
  }
  await systemctl('daemon-reload')
  const { daemon, router } = unitNames(installation.name)
  await systemctl('enable', daemon, router)
}

/** Starts or stops the daemon's unit; false when there is none. */
export async function withUnit(name: string, verb: 'start' | 'stop'): Promise<boolean> {
  const { daemon, router } = unitNames(name)
  const isThere =
    (await hasSystemd()) &&
    (await access(`${unitFolder}/${daemon}`).then(
      () => true,
      () => false,
    ))
  if (isThere) await systemctl(verb, ...(verb === 'stop' ? [daemon, router] : [daemon]))
  return isThere
}

/** Takes the units away; safe to repeat. */
export async function removeUnits(name: string): Promise<void> {
  if (!(await withUnit(name, 'stop'))) return
  const { daemon, router } = unitNames(name)
  await systemctl('disable', daemon, router)
  for (const file of [daemon, router]) await rm(`${unitFolder}/${file}`, { force: true })
  await systemctl('daemon-reload')
}

function unitNames(name: string) {
  return { daemon: `rack-${name}.service`, router: `rack-${name}-router.service` }
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

function shellQuoted(text: string): string {
  const quoted = /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
  // cron takes a bare percent sign for the end of the command.
  return quoted.replaceAll('%', String.raw`\%`)
}
