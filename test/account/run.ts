import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { IAM } from '@aws-sdk/client-iam'
import { KMS } from '@aws-sdk/client-kms'
import { createClients } from '../../src/aws/clients.ts'
import { removeAccountRack } from './account-rack.ts'
import { describeRun } from './describe-run.ts'
import { settingsHere } from './settings-here.ts'
import { variables, type AccountSettings } from './settings.ts'

/**
 * `RACK_AWS_ACCOUNT_TEST=1 npm run test:aws`: the engines' contract in a real account, from a machine with Docker inside the
 * VPC that the variables name. NO ACCOUNT HAS RUN IT YET. It says what it would make, and begins nothing without that
 * variable; whatever becomes of it, all that it made is taken away. `-- --clean NAME` takes away what an earlier one
 * left, but for a bucket and a file system whose stack had gone already.
 */
const say = (text: string) => void process.stdout.write(`${text}\n`)
const removalMs = 1_800_000

async function main(args: string[]): Promise<number> {
  const [option, name, ...more] = args
  const isCleaning = option === '--clean' && name !== undefined && more.length === 0
  if (option !== undefined && !isCleaning) {
    say('usage: npm run test:aws [-- --clean NAME]')
    return 2
  }
  const run = isCleaning ? null : readHere()
  const wanted = isCleaning ? leftHere(name) : run
  if (!wanted) return 2
  const lines = run ? describeRun(run) : [`All of ${wanted.rack} in ${wanted.region} goes.`]
  for (const line of lines) say(line)
  if (process.env[variables.consent] !== '1') {
    say(
      `\nNothing was begun. To begin: ${variables.consent}=1 npm run test:aws${isCleaning ? ` -- --clean ${name}` : ''}`,
    )
    return 2
  }
  await introduce(wanted)
  const status = run ? await runContract(run) : 0
  await clean(wanted)
  return status
}

/** What an earlier run has left, by its name. */
function leftHere(rack: string): Pick<AccountSettings, 'region' | 'rack'> | null {
  const region = process.env[variables.region] ?? ''
  if (/^rt-[a-z0-9]{1,10}$/.test(rack) && region !== '') return { region, rack }
  say(`Name the Region by ${variables.region}, and a rack of a test, which begins with "rt-".`)
  return null
}

async function introduce({ region }: Pick<AccountSettings, 'region'>): Promise<void> {
  const clients = createClients({ region })
  const { Account, Arn } = await clients.identity.getCallerIdentity({})
  say(`\nIn the account ${Account}, as ${Arn}.`)
  clients.close()
}

function readHere(): AccountSettings | null {
  try {
    return settingsHere(randomBytes(3).toString('hex'))
  } catch (error) {
    say((error as Error).message)
    return null
  }
}

async function runContract({ rack, timeoutMs }: AccountSettings): Promise<number> {
  const file = join(import.meta.dirname, 'engine.test.ts')
  const child = spawn(process.execPath, ['--test', '--test-reporter=spec', file], {
    stdio: 'inherit',
    env: { ...process.env, [variables.name]: rack },
    // A group of its own: who ends it ends all of it, and cleans up after it.
    detached: true,
  })
  const end = () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  AbortSignal.timeout(timeoutMs).addEventListener('abort', end)
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

async function clean({ region, rack }: Pick<AccountSettings, 'region' | 'rack'>): Promise<void> {
  const clients = createClients({ region })
  const keys = new KMS({ region })
  const roles = new IAM({ region })
  const report = (progress: { type: string; text?: string }) =>
    void (progress.type === 'log' && say(`  ${progress.text}`))
  const control = { signal: AbortSignal.timeout(removalMs), report }
  try {
    const kept = await removeAccountRack({ clients, keys, roles }, rack, control)
    say(
      `All of ${rack} is removed${kept.map(({ type, id }) => `, but ${type} ${id}, which goes in 30 days`).join('')}.`,
    )
  } finally {
    keys.destroy()
    roles.destroy()
    clients.close()
  }
}

process.exitCode = await main(process.argv.slice(2))
