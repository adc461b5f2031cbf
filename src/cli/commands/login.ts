import { RackError } from '../../domain/error.ts'
import { isAccountUrl } from '../account-way.ts'
import type { CommandSpec } from '../command-spec.ts'
import { changeRacks, withAccess, withRack, type KnownRack } from '../racks-file.ts'
import { pinCertificate } from '../pin-certificate.ts'
import { readAll } from '../read-all.ts'
import { readSecret } from '../read-secret.ts'
import { versionRemark } from '../version-remark.ts'
import type { Session } from '../session.ts'

/** `rack login`. */
export const login: CommandSpec = {
  name: 'login',
  arguments: '[url]',
  summary: 'add a rack by its address and a token, and make it the current one',
  description: [
    'The token is typed unseen, or comes from standard input, a file or RACK_TOKEN: on the command line others could see it.',
    'By ssh://USER@HOST it goes by your own ssh, with its keys, configuration and known hosts; there rack must be on the PATH.',
    'By aws://REGION/NAME the account is asked where the rack is and whom to believe, as whom the AWS CLI calls it; who may',
    "write into the rack's bucket gets a new token, of an administrator.",
    'With --dir a rack of this machine makes a new token, for whoever may write its directory; its daemon starts anew.',
  ].join('\n'),
  examples: [
    'login https://rack.example.com --token-file token --name production',
    'login https://203-0-113-7.example.com:8443 --fingerprint AB:CD:… --token-file token',
    'login ssh://deploy@rack.example.com --token-stdin < token',
    'login unix:/var/lib/rack/rack/api.sock --token-stdin < token',
    'login aws://eu-west-1/rack',
    'login --dir /var/lib/rack/rack',
  ],
  options: [
    { flags: '--token-stdin', meaning: 'read the token from standard input' },
    { flags: '--token-file <path>', meaning: 'read the token from a file' },
    {
      flags: '--fingerprint <sha256>',
      meaning:
        'by https: of the authority that vouches for it, as rack certs ca tells; else it is shown and asked for; by aws: of the certificate of its API',
    },
    { flags: '--name <name>', meaning: 'what to call it here; its own name unless given' },
    { flags: '--dir <directory>', meaning: 'of a rack on this machine whose token is lost' },
  ],
  needs: 'nothing',
  async run(session) {
    const { output, isJson, world, options } = session
    const access = await accessOf(session)
    // By https whoever takes the port has not the rack's certificate.
    if (isInClear(access.url) && isLoopback(access.url)) output.say(output.colors.say.yellow(loopbackWarning))
    const { connectRack } = await import('../connect-rack.ts')
    const found = await (await connectRack(access, world)).getRack()
    const name = options.text('name') ?? found.name
    await changeRacks(world.env, (known) => {
      const before = known.racks.find((rack) => rack.name === name && rack.url === access.url)
      const { pin: _earlier, ...kept } = before ?? {}
      return withRack(withAccess(known, access), { ...kept, ...access, name })
    })
    const remark = versionRemark(found.version, world.version)
    if (remark !== null) output.say(output.colors.say.yellow(remark))
    if (isJson) output.json({ name, url: access.url, current: true })
    else output.say(`${name} (Rack ${found.version}, ${found.apps} apps) is the current rack`)
  },
}

const loopbackWarning = [
  'warning: while the rack is down, any user of this machine can take its port and is sent the token.',
  "Its socket is nobody else's: rack login unix:DIRECTORY/api.sock",
].join('\n')

const isInClear = (url: string) => /^http:/i.test(url)

function isLoopback(url: string): boolean {
  const { hostname = '' } = URL.parse(url) ?? {}
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
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
  const address = url.replace(/\/+$/, '')
  if (isAccountUrl(address)) return await accessInAccount(session, address)
  if (isInClear(address) && !isLoopback(address)) {
    throw new RackError('usage', 'a token is not sent in clear over a network', {
      hint: 'rack login https://HOST, or rack login ssh://USER@HOST',
    })
  }
  const pin = /^https:/i.test(address) ? await pinCertificate(session, address) : null
  return { url: address, token: await readToken(session), ...(pin && { pin }) }
}

/** By the account's own word; a fingerprint or a token that is said goes before it. */
async function accessInAccount(session: Session, address: string): Promise<Access> {
  const { loginToAccount } = await import('../account/login-to-account.ts')
  const { options, world } = session
  const isByOption = options.flag('token-stdin') || options.text('token-file') !== undefined
  const isGiven = isByOption || (world.env['RACK_TOKEN'] ?? '').trim() !== ''
  const { name: _there, ...access } = await loginToAccount(session, address, {
    token: isGiven ? await readToken(session) : null,
    fingerprint: options.text('fingerprint'),
  })
  return access
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

async function givenToken(session: Session): Promise<string> {
  const { options, world } = session
  const file = options.text('token-file')
  if (options.flag('token-stdin')) return (await readAll(world.stdin)).trim()
  if (file === undefined) {
    const known = (world.env['RACK_TOKEN'] ?? '').trim()
    return known === '' && world.stdin.isTTY ? (await readSecret(session, 'Token:')).trim() : known
  }
  const fs = process.getBuiltinModule('node:fs/promises')
  return await fs.readFile(file, 'utf8').then(
    (text) => text.trim(),
    (cause: Error) => {
      throw new RackError('usage', `${file} cannot be read: ${cause.message}`, { cause })
    },
  )
}
