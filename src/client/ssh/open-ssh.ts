import type { ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { RackError } from '../../domain/error.ts'
import { openCarrier } from '../../lib/carry-streams.ts'
import { withDeadline } from '../../lib/deadline.ts'
import type { Tunnel } from '../transport.ts'
import { mostBeforeGreeting, readGreeting, type Greeting } from './greeting.ts'
import { greetingFailure, noSsh, sshFailure, type SshEnd } from './ssh-failure.ts'
import { readSshUrl, sshArguments, type SshPlace } from './ssh-url.ts'

type Ssh = ChildProcessByStdio<Writable, Readable, Readable>

export interface SshOptions {
  url: string
  /** Of this program. */
  version: string
  /** Where ssh finds its agent and its home. */
  env: Record<string, string | undefined>
  /** Says what to call when this program ends, however it does. */
  onEnd: (listener: () => void) => void
}

/** As long as a server waits for somebody who types a password. */
const greetingMs = 120_000
const lastWordsBytes = 8192

/**
 * Ctrl-C is for this program, which may have to tell the rack of it: ssh, on the same terminal, does not end by it. It
 * stays there to ask for a password.
 */
const script = `trap '' INT; command -v ssh >/dev/null || exit ${noSsh}; exec ssh "$@"`

/**
 * A way to a rack by the user's own ssh, with their keys, agent, configuration and known hosts: one connection, which
 * carries all that is asked. ssh ends with this program.
 * @throws usage for the address; untrusted for a host key; unreachable, host-failed with what to type
 */
export async function openSsh({ url, version, env, onEnd }: SshOptions): Promise<Tunnel> {
  const place = readSshUrl(url)
  const { spawn } = await import('node:child_process')
  const { Duplex } = await import('node:stream')
  const ssh = spawn('/bin/sh', ['-c', script, 'sh', ...sshArguments(place)], { stdio: 'pipe', env })
  onEnd(() => void ssh.kill())
  const end = endOf(ssh)
  try {
    const greeting = await greetingOf(ssh, place, end)
    const failure = greetingFailure(place, version, greeting)
    if (failure) throw failure
    const carrier = await openCarrier(Duplex.from({ readable: ssh.stdout, writable: ssh.stdin }))
    return { address: url, host: place.host, headers: headersOf(greeting), dial: () => carrier.dial() }
  } catch (error) {
    ssh.kill()
    throw error
  }
}

/** By which the rack knows who came by ssh: as claimed, since it is we who say it. */
function headersOf({ user, from }: Greeting): Record<string, string> {
  const name = from === null ? user : `${user}@${from}`
  // The API at the other end answers to this name.
  return { host: 'localhost', ...(/^[\w.@:%+-]{1,100}$/.test(name) && { 'x-rack-ssh': name }) }
}

/** Settles when ssh has ended; its children may hold its standard error open. */
function endOf(ssh: Ssh): Promise<SshEnd> {
  const { promise, resolve } = Promise.withResolvers<SshEnd>()
  let said = ''
  ssh.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-lastWordsBytes)))
  ssh.stdin.on('error', () => undefined)
  ssh.once('error', (error) => resolve({ code: null, said: error.message }))
  ssh.once('exit', (code) => {
    // What was said last may come behind the exit, but never must.
    const tell = () => resolve({ code, said })
    ssh.stderr.once('end', tell)
    setTimeout(tell, 200).unref()
  })
  return promise
}

async function greetingOf(ssh: Ssh, place: SshPlace, end: Promise<SshEnd>): Promise<Greeting> {
  const ended = end.then((end) => {
    throw sshFailure(place, end)
  })
  const what = `a word of rack at ${place.host}, by ssh`
  try {
    return await withDeadline({ deadlineMs: greetingMs, what }, () =>
      Promise.race([readFirst(ssh.stdout, place), ended]),
    )
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'DeadlineError') throw error
    throw new RackError('timeout', error.message, { cause: error })
  }
}

/** Leaves what comes behind the greeting unread. Waits for ever at the end: that is for the exit to tell. */
async function readFirst(stdout: Readable, { host }: SshPlace): Promise<Greeting> {
  const { promise, resolve, reject } = Promise.withResolvers<Greeting>()
  let held = Buffer.alloc(0)
  let before = 0
  const onReadable = () => {
    for (let chunk; (chunk = stdout.read() as Buffer | null) !== null;) {
      held = Buffer.concat([held, chunk])
      for (let at; (at = held.indexOf(10)) !== -1;) {
        const greeting = readGreeting(held.toString('utf8', 0, at))
        held = held.subarray(at + 1)
        before += at
        if (!greeting) continue
        stdout.off('readable', onReadable)
        if (held.length > 0) stdout.unshift(held)
        return resolve(greeting)
      }
      if (before + held.length > mostBeforeGreeting) {
        reject(new RackError('unreachable', `${host} says much by ssh, and nothing that rack would say`))
      }
    }
  }
  stdout.on('readable', onReadable)
  return await promise
}
