import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, mkdir, mkdtempDisposable, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { whereItRuns, type HandOverOutcome } from '../../host/hand-over.ts'
import {
  isOnMachine,
  readInstallation,
  type AwsInstallation,
  type Installation,
} from '../../host/installation.ts'
import {
  currentVersion,
  makeCurrent,
  removeOldVersions,
  versionsOf,
  type Versions,
} from '../../host/versions.ts'
import { unitTexts } from '../../host/start-at-boot.ts'
import { listIfThere } from '../../lib/files.ts'
import type { PlannedStack } from '../account/show-changes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { findInstallation, knownInstallations } from '../find-installation.ts'
import { insideRackOf, type InsideRack } from '../inside-rack.ts'
import { handOverRack } from '../hand-over-rack.ts'
import { readRacks } from '../racks-file.ts'
import type { Session } from '../session.ts'
import { assertNothingChosen, isOfStacks, renewOf } from '../update-choices.ts'

/** Where an archive puts its versions when nobody has put one there yet. */
const usualHome = '/usr/local/lib/rack'

/** `rack update`. */
export const update: CommandSpec = {
  name: 'update',
  arguments: '[file]',
  summary: 'install another version of rack, and have it take over the racks of this machine',
  description: [
    'FILE is an archive or a Debian package, as npm run package makes them. Apps and the router run on meanwhile. What the',
    "store held is kept in before-update of a rack's directory; when the new daemon does not start and answer, it is put",
    'back, and the version before runs again. A stopped rack is taken over by its next start, without a way back by itself.',
    'Where the store is a Postgres of your own, back it up first: rack cannot put it back.',
    'Without a file this version takes over the racks that another one of the same place runs, or the one that --rack or',
    '--dir names. Needs the right to write where versions lie: root, as a rule.',
    'Of a rack in an AWS account that is named so, the stacks are brought to this version first: what would change in them',
    'is shown, and asked for; with --plan it is only shown. What holds data, or what the rack hangs on, is replaced or',
    'removed only where --replace names it. Before a daemon that runs there is replaced, a snapshot of its store is taken. What',
    'was chosen at its install stays, but for what is given here of one whose daemon runs in the account: --certificate,',
    '--api-allow, --cpu, --memory. With --renew-certificate the API of such a one gets another certificate, and nothing else',
    'changes.',
  ].join('\n'),
  examples: [
    'update rack-0.2.0-linux-x64.tar.gz',
    'update rack_0.2.0_amd64.deb',
    'update --rack demo',
    'update --rack production --plan',
    'update --rack production --replace NetworkBalancer',
    'update --rack production --certificate arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d',
    'update --rack production --renew-certificate',
  ],
  options: [
    { flags: '--dir <directory>', meaning: 'where the rack lies' },
    { flags: '--plan', meaning: 'of a rack in an account: show what would change in it, and change nothing' },
    {
      flags: '--replace <names>',
      meaning: 'resources of its stacks that may be replaced or removed, with what hangs on them',
      multiple: true,
    },
    {
      flags: '--certificate <arn>',
      meaning: 'of ACM, issued for *.DOMAIN: apps are reached by TLS from now on',
    },
    {
      flags: '--api-allow <ranges>',
      meaning: 'from which addresses alone the API is reached from now on; 0.0.0.0/0: from everywhere',
      multiple: true,
    },
    { flags: '--cpu <units>', meaning: 'what apps may have in total from now on' },
    { flags: '--memory <size>', meaning: 'what apps may have in total from now on' },
    {
      flags: '--renew-certificate',
      meaning:
        'give the API of a rack in an account another certificate; who is logged in elsewhere logs in anew',
    },
    { flags: '-y, --yes', meaning: 'change the stacks without asking' },
  ],
  needs: 'rack',
  async run(session) {
    const file = session.args[0]
    if (session.options.flag('renew-certificate')) return await renewOf(session)
    const inside = file === undefined ? meantInside(session) : null
    if (inside) {
      const { updateInside } = await import('../account/update-inside.ts')
      return await updateInside(session, inside)
    }
    assertNothingChosen(session)
    if (file === undefined) return await takeOver(session)
    if (isOfStacks(session)) {
      throw new RackError('usage', 'with a file, --plan, --replace and --yes mean nothing', {
        hint: `rack update ${file}; then, of a rack in an account: rack update --rack NAME`,
      })
    }
    await installFile(session, resolve(session.world.cwd, file))
  },
}

/** An archive by the script in it, a Debian package by dpkg; both end in `rack update` of what they bring. */
async function installFile(session: Session, file: string): Promise<void> {
  if (!(await stat(file).catch(() => null))?.isFile()) {
    throw new RackError('not-found', `${file} is no file`, { hint: 'rack help update' })
  }
  if (file.endsWith('.deb')) {
    if (process.getuid?.() !== 0) {
      throw new RackError('forbidden', 'only root may install a package', {
        hint: `sudo rack update ${file}`,
      })
    }
    await runAside('dpkg', ['--install', file])
  } else if (file.endsWith('.tar.gz')) {
    await installArchive(session, file)
  } else {
    throw new RackError('invalid', `${file} is neither an archive (.tar.gz) nor a Debian package (.deb)`, {
      hint: 'Both are made by: npm run package',
    })
  }
  if (session.isJson) session.output.json({ file })
}

async function installArchive({ world }: Session, file: string): Promise<void> {
  const home = (await versionsOf(world.program))?.home ?? usualHome
  if (home !== usualHome && (await listIfThere(home)).includes('rack.tar.gz')) {
    throw new RackError('conflict', 'rack is a Debian package on this machine', {
      hint: 'Give its next version as a package too: rack update FILE.deb',
    })
  }
  try {
    await mkdir(home, { recursive: true })
    await access(home, constants.W_OK)
  } catch (cause) {
    throw new RackError('forbidden', `versions of rack lie in ${home}, which is not yours to write`, {
      hint: `sudo rack update ${file}`,
      cause,
    })
  }
  await using unpacked = await mkdtempDisposable(join(home, '.archive.'))
  await runAside('tar', ['--no-same-owner', '-xzf', file, '-C', unpacked.path])
  const [folder = '', ...others] = await readdir(unpacked.path)
  const installer = join(unpacked.path, folder, 'install')
  if (others.length > 0 || !(await stat(installer).catch(() => null))?.isFile()) {
    throw new RackError('invalid', `${file} holds no version of rack`, {
      hint: 'Give an archive that npm run package made.',
    })
  }
  await runAside(installer, [home])
}

/** What it prints is for the person. @throws host-failed */
async function runAside(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 2, 2] })
  const [code] = (await once(child, 'close')) as [number | null]
  if (code === 0) return
  throw new RackError('host-failed', `${program} failed (${code ?? 'it was ended'})`, {
    hint: 'Its reason is above. The racks here run with the version that they had.',
  })
}

interface TakenOver {
  name: string
  directory: string
  outcome: HandOverOutcome
  /** What was changed in the account; absent for a rack on one machine. */
  stacks?: PlannedStack[]
}

async function takeOver(session: Session): Promise<void> {
  const { world, output, isJson } = session
  const versions = await versionsOf(world.program)
  const installations = await meantInstallations(session)
  if (session.options.flag('plan')) {
    const { showStacksPlan } = await import('../account/update-in-account.ts')
    return await showStacksPlan(session, inAccount(installations![0]!))
  }
  if (versions === null && installations === null) {
    throw new RackError('unsupported', 'this command line runs from a clone, beside which no versions lie', {
      hint: 'rack update --rack NAME has this clone take over a rack; or: rack stop --keep-router; rack start',
    })
  }
  const interrupt = new AbortController()
  const reason = new RackError('cancelled', 'the update was interrupted')
  using listening = new DisposableStack()
  listening.defer(world.onLeave(() => interrupt.abort(reason)))
  const done: TakenOver[] = []
  for (const installation of installations ?? (await installationsOf(session, versions!))) {
    interrupt.signal.throwIfAborted()
    const { name, directory } = installation
    if (isOnMachine(installation) || !installations) {
      const outcome = await handOverRack(session, installation, interrupt.signal)
      done.push({ name, directory, outcome })
      if (!isOnMachine(installation))
        output.say(`${name}: its stacks stay as they are; what they lack: rack update --rack ${name} --plan`)
    } else {
      const { updateInAccount } = await import('../account/update-in-account.ts')
      done.push({ name, directory, ...(await updateInAccount(session, installation, interrupt.signal)) })
    }
  }
  if (!installations) {
    for (const { name } of readRacks(world.env).racks.filter(({ account }) => account))
      output.say(`${name} has its daemon in its account, and is left alone: rack update --rack ${name}`)
  }
  const previous = versions && (await currentVersion(versions))
  if (versions) {
    await makeCurrent(versions)
    await removeOldVersions(versions, previous, await unitTexts())
  }
  if (isJson) return output.json({ version: world.version, previous, racks: done })
  output.say(output.colors.say.green(`rack ${world.version} is installed`))
  if (done.length === 0) output.say('next: rack install')
}

/** @throws unsupported for a rack without stacks */
function inAccount(installation: Installation): AwsInstallation {
  if (!isOnMachine(installation)) return installation
  throw new RackError('unsupported', `${installation.name} is on one machine, and has no stacks to look at`, {
    hint: `rack update --rack ${installation.name}`,
  })
}

/** One inside its account, where it is named or its stacks are spoken of. */
function meantInside(session: Session): InsideRack | null {
  return session.options.text('rack') !== undefined || isOfStacks(session) ? insideRackOf(session) : null
}

/** The one that is named; null when none is. */
async function meantInstallations(session: Session): Promise<Installation[] | null> {
  const { options } = session
  const isNamed = options.text('rack') !== undefined || options.text('dir') !== undefined
  if (!isNamed && !isOfStacks(session)) return null
  return [await findInstallation(session)]
}

/** Those of this user that run from the same place; others are told of. */
async function installationsOf({ world, output }: Session, { home }: Versions): Promise<Installation[]> {
  const known = await knownInstallations(world.env)
  const usual = process.getuid?.() === 0 ? await listIfThere(rootsRacks) : []
  const others = usual
    .map((name) => join(rootsRacks, name))
    .filter((directory) => !known.some((one) => one.directory === directory))
  const found = await Promise.all(
    others.map(async (directory) => await readInstallation(directory).catch(() => null)),
  )
  const own: Installation[] = []
  for (const installation of [...known, ...found.filter((one) => one !== null)]) {
    const { name, directory } = installation
    if ((await stat(directory)).uid !== process.getuid?.()) {
      output.say(`${name} is another user's, who types: rack update --rack ${name}`)
      continue
    }
    const place = await whereItRuns(installation)
    if (place !== null && !place.startsWith(`${home}/`))
      output.say(`${name} runs from ${place}, and is left alone: rack update --rack ${name} takes it over`)
    else own.push(installation)
  }
  return own
}

const rootsRacks = '/var/lib/rack'
