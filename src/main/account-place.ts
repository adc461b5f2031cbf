import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { readKeptInstallation, type KeptInstallation } from '../account/kept-installation.ts'
import { listLeftTokens, readLeftToken, removeLeftToken } from '../account/left-tokens.ts'
import { readText, writeText, type RackBucket } from '../account/rack-bucket.ts'
import { apiPort } from '../account/templates/inside.ts'
import { accountClock } from '../aws/account-clock.ts'
import { createClients } from '../aws/clients.ts'
import { RackError } from '../domain/error.ts'
import { limitConnections } from '../edge/connection-limits.ts'
import type { AwsInstallation } from '../host/installation.ts'
import { mostOpenFiles } from '../lib/open-files.ts'
import { keysOfText, type KeptText } from '../store/store-keys.ts'
import { databaseAuthorities, databaseAuthoritiesKey } from './database-authorities.ts'
import type { DaemonPlace, NewTokens } from './daemon-place.ts'
import { openSocket } from './open-socket.ts'

/**
 * Longer than the rack's balancer keeps a connection that nothing is said on: one that is closed under its request is
 * answered with 502. @see src/account/templates/rack-template.ts
 */
const idleMs = 3_660_000
/** A task that is being stopped has 30 s; its session at the database is found dead a little later. */
const leadPatienceMs = 60_000
/** Each look is a call that costs. */
const tokensPeriodMs = 10_000
const answerDeadlineMs = 20_000
const auditHeadKey = 'audit-head'

/** A place inside the rack's account, of which nothing lasts but its database and its bucket. */
export interface AccountPlace extends DaemonPlace, AsyncDisposable {}

/**
 * Finds what the rack is in its bucket, and the rest in variables as its task has them.
 * @throws usage where a variable is missing; invalid for one that cannot be; what reading the bucket throws
 */
export async function openAccountPlace(environment: NodeJS.ProcessEnv, log: Logger): Promise<AccountPlace> {
  const { text, port } = readVariables(environment)
  const bucket = text('RACK_INSTALLATION')
  const region = text('AWS_REGION')
  await using undo = new AsyncDisposableStack()
  const clients = undo.adopt(createClients({ region }), (all) => all.close())
  const where: RackBucket = { clients, bucket }
  const kept = await readKeptInstallation(where, inTime())
  const head = keptObject(where, auditHeadKey)
  const keys = keysOfText(text('RACK_STORE_KEY'), 'RACK_STORE_KEY', head)
  const server = {
    host: text('RACK_DATABASE_HOST'),
    port: port('RACK_DATABASE_PORT'),
    database: text('RACK_DATABASE_NAME'),
    user: text('RACK_DATABASE_USER'),
    password: text('RACK_DATABASE_PASSWORD'),
  }
  const directory = await mkdtemp(join(tmpdir(), 'rack-daemon-'))
  undo.defer(() => rm(directory, { recursive: true, force: true }))
  const installation = installationOf(kept, directory)
  const stack = undo.move()
  return {
    installation,
    async storeOptions() {
      const authorities = await databaseAuthorities(environment, region, {
        keeper: keptObject(where, databaseAuthoritiesKey),
        log,
      })
      return {
        rack: kept.name,
        server: { ...server, authorities },
        keys,
        warn: (message, facts) => log.warn(facts, message),
      }
    },
    leadPatienceMs,
    tokens: tokensOf(where, log),
    api: {
      limits: { ...limitConnections(mostOpenFiles()), idleMs },
      ownHost: kept.apiHost,
      async listen(edge) {
        await openSocket(installation.socket, (path) => edge.listen({ path }))
        return await edge.listen({ host: '0.0.0.0', port: apiPort, front: 'balancer' })
      },
    },
    logFile: null,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const inTime = () => ({ signal: AbortSignal.timeout(answerDeadlineMs) })

function readVariables(environment: NodeJS.ProcessEnv) {
  const text = (name: string): string => {
    const value = environment[name] ?? ''
    if (value !== '') return value
    throw new RackError('usage', `rackd --account needs the variable ${name}`, {
      hint: 'The task of the daemon has it by the stack of the rack: rack update',
    })
  }
  const port = (name: string): number => {
    const value = Number(text(name))
    if (Number.isInteger(value) && value > 0 && value < 65_536) return value
    throw new RackError('invalid', `${name} is no port: "${text(name)}"`)
  }
  return { text, port }
}

function installationOf(kept: KeptInstallation, directory: string): AwsInstallation {
  const { name, domain, total, places, created } = kept
  return {
    engine: 'aws',
    name,
    directory,
    socket: { path: join(directory, 'api', 'api.sock'), group: null },
    domain,
    total,
    places,
    created,
  }
}

/** An object of the bucket. */
export function keptObject(where: RackBucket, key: string): KeptText {
  return {
    read: async () => await readText(where, key, inTime()),
    write: async (text) => await writeText(where, { key, text }, inTime()),
  }
}

/** What is no hash of a token goes with a word, and what cannot be read is left: neither keeps others from coming in. */
export function tokensOf(where: RackBucket, log: Pick<Logger, 'warn'>): NewTokens {
  const told = new Set<string>()
  const takeOne = async (room: Parameters<NewTokens['takeIn']>[0], name: string) => {
    const found = await readLeftToken(where, name, inTime())
    if (found) await room.takeInToken(name, found.sha256)
    else log.warn({ name }, 'an object of the bucket is no hash of a token')
    await removeLeftToken(where, { name }, inTime())
  }
  return {
    async takeIn(room) {
      for (const name of await listLeftTokens(where, inTime())) {
        try {
          await takeOne(room, name)
        } catch (err) {
          // Looked at every few seconds, told once.
          if (!told.has(name))
            log.warn({ err, name }, 'an object of the bucket cannot be taken in as a token')
          told.add(name)
        }
      }
    },
    periodMs: tokensPeriodMs / accountClock(process.env),
  }
}
