import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { changeRacks, withRack, type KnownRack } from '../racks-file.ts'
import { readAll } from '../read-all.ts'
import type { Session } from '../session.ts'

/** `rack login`. */
export const login: CommandSpec = {
  name: 'login',
  arguments: '[url]',
  summary: 'add a rack by its address and a token, and make it the current one',
  description: [
    'The token comes from standard input, a file or RACK_TOKEN: on the command line others could see it.',
    'With --dir a rack of this machine makes a new token, for whoever may write its directory; its daemon starts anew.',
  ].join('\n'),
  examples: [
    'login http://127.0.0.1:5480 --token-stdin < token',
    'login https://rack.example.com --token-file token --name production',
    'login --dir /var/lib/rack/rack',
  ],
  options: [
    { flags: '--token-stdin', meaning: 'read the token from standard input' },
    { flags: '--token-file <path>', meaning: 'read the token from a file' },
    { flags: '--name <name>', meaning: 'what to call it here; its own name unless given' },
    { flags: '--dir <directory>', meaning: 'of a rack on this machine whose token is lost' },
  ],
  needs: 'nothing',
  async run(session) {
    const { output, isJson, world, options } = session
    const access = await accessOf(session)
    const { createClient } = await import('../../client/client.ts')
    const found = await createClient(access).getRack()
    const name = options.text('name') ?? found.name
    await changeRacks(world.env, (known) => {
      const before = known.racks.find((rack) => rack.name === name && rack.url === access.url)
      return withRack(known, { ...before, ...access, name })
    })
    if (isJson) output.json({ name, url: access.url, current: true })
    else output.say(`${name} (Rack ${found.version}, ${found.apps} apps) is the current rack`)
  },
}

type Access = Omit<KnownRack, 'name'>

async function accessOf(session: Session): Promise<Access> {
  const [url] = session.args
  const directory = session.options.text('dir')
  if ((url === undefined) === (directory === undefined)) {
    throw new RackError('usage', 'a login takes an address, or --dir for a rack on this machine', {
      hint: 'rack login URL --token-stdin < FILE, or: rack login --dir DIRECTORY',
    })
  }
  if (url === undefined) return await newAccess(session)
  return { url: url.replace(/\/+$/, ''), token: await readToken(session) }
}

/** A token of its own for this command line; the daemon takes it in as it starts, and no app notices. */
async function newAccess(session: Session): Promise<Access> {
  const { findInstallation } = await import('../find-installation.ts')
  const { startDaemon, stopDaemon } = await import('../../host/daemon.ts')
  const { addToken, daemonEnvironment } = await import('../../host/make-installation.ts')
  const { machineControl } = await import('../machine-control.ts')
  const { apiUrl } = await import('../machine-status.ts')
  const { world } = session
  const installation = await findInstallation(session)
  const { directory } = installation
  const token = await addToken(directory, `login-${Date.now()}`)
  await stopDaemon(directory, machineControl())
  const environment = await daemonEnvironment(directory, world.env)
  await startDaemon(installation, world.program, environment, machineControl())
  return { url: apiUrl(installation), token, directory }
}

async function readToken(session: Session): Promise<string> {
  const token = await givenToken(session)
  if (token !== '') return token
  throw new RackError('usage', 'no token was given', {
    hint: 'rack login URL --token-stdin < FILE, or --token-file FILE, or RACK_TOKEN',
  })
}

async function givenToken({ options, world }: Session): Promise<string> {
  const file = options.text('token-file')
  if (options.flag('token-stdin')) return (await readAll(world.stdin)).trim()
  if (file === undefined) return world.env['RACK_TOKEN'] ?? ''
  const fs = process.getBuiltinModule('node:fs/promises')
  return await fs.readFile(file, 'utf8').then(
    (text) => text.trim(),
    (cause: Error) => {
      throw new RackError('usage', `${file} cannot be read: ${cause.message}`, { cause })
    },
  )
}
