import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { connect } from 'node:tls'
import type { Issued } from '../../../src/lib/x509/issue.ts'
import type { WantedServer } from './servers.ts'

/** A user of ElastiCache. */
export interface CacheUser {
  name: string
  rights: string
  passwords: string[]
}

export interface WantedCache {
  /** Of ElastiCache: `7.1`. */
  version: string
  /** Of its parameter group. */
  settings: Record<string, string>
  certificate: Issued
  /** Of ElastiCache's own user, by which its users are changed. */
  secret: string
}

export const newSecret = () => randomBytes(16).toString('hex')

const ownUser = 'aws'

/** Those of which users are kept. */
export const cacheServers: Record<string, (wanted: WantedCache) => WantedServer> = {
  redis: (wanted) => serverOf('redis', wanted),
  valkey: (wanted) => serverOf('valkey/valkey', wanted),
}

/** A Memcached, which knows nobody. */
export const memcachedServer: WantedServer = {
  image: 'memcached:1.6',
  environment: {},
  files: {},
  answers: async (address) => {
    const socket = connectPlain({ host: address, port: 11_211 })
    return await firstLine(socket, 'version\r\n').then(
      (line) => line.startsWith('VERSION'),
      () => false,
    )
  },
}

function serverOf(repository: string, { version, settings, certificate, secret }: WantedCache): WantedServer {
  const program = `${repository.split('/')[0]}-server`
  const lines = [
    // D: with transit encryption there is no other port.
    'port 0',
    'tls-port 6379',
    'tls-cert-file /cache-cert.pem',
    'tls-key-file /cache-key.pem',
    'tls-auth-clients no',
    'protected-mode no',
    'save ""',
    ...Object.entries(settings).map(([name, value]) => `${name} ${value}`),
    `user ${ownUser} on >${secret} ~* &* +@all`,
    'user default off',
  ]
  return {
    image: `${repository}:${version.split('.')[0]}`,
    environment: {},
    command: [program, '/cache.conf'],
    files: {
      '/cache.conf': `${lines.join('\n')}\n`,
      '/cache-cert.pem': certificate.certificate,
      '/cache-key.pem': certificate.key,
    },
    answers: async (address) =>
      await sayTo(address, secret, [['PING']]).then(
        () => true,
        () => false,
      ),
  }
}

/** D: "Restricted commands"; J: what concerns users, and replicas, is none of a customer's either. */
const restricted = [
  ...'bgrewriteaof bgsave config debug migrate replicaof save slaveof shutdown sync psync'.split(' '),
  ...['setuser', 'deluser', 'load', 'save'].map((word) => `acl|${word}`),
].map((command) => `-${command}`)

/** Brings a server to the users that it shall have; sessions of others end (J). */
export async function changeUsers(
  { address, secret }: { address: string; secret: string },
  { before, after }: { before: readonly string[]; after: readonly CacheUser[] },
): Promise<void> {
  const names = new Set(after.map(({ name }) => name))
  const gone = before.filter((name) => !names.has(name) && name !== 'default')
  await sayTo(address, secret, [
    ...gone.map((name) => ['ACL', 'DELUSER', name]),
    ...after.map(({ name, rights, passwords }) => {
      const secrets = passwords.map((password) => `>${password}`)
      return ['ACL', 'SETUSER', name, 'reset', ...rights.split(' '), ...secrets, ...restricted]
    }),
  ])
}

/** Commands whose answers are a line each. @throws Error with the first refusal */
async function sayTo(address: string, secret: string, commands: string[][]): Promise<void> {
  for (const command of commands) {
    // Whoever listens there was started by us.
    const socket = connect({ host: address, port: 6379, rejectUnauthorized: false })
    const lines = [['AUTH', ownUser, secret], command].map(encoded).join('')
    const answers = await firstLine(socket, lines, 2)
    const refusal = answers.split('\r\n').find((line) => line.startsWith('-'))
    if (refusal !== undefined) throw new Error(`${command.slice(0, 3).join(' ')}: ${refusal}`)
  }
}

function encoded(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

/** What comes until so many lines are there. */
async function firstLine(
  socket: ReturnType<typeof connect> | ReturnType<typeof connectPlain>,
  asked: string,
  count = 1,
): Promise<string> {
  try {
    const signal = AbortSignal.timeout(5000)
    socket.write(asked)
    let text = ''
    while (text.split('\r\n').length <= count) text += String((await once(socket, 'data', { signal }))[0])
    return text
  } finally {
    socket.destroy()
  }
}
