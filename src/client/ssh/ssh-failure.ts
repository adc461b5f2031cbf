import { RackError } from '../../domain/error.ts'
import { problemError } from '../read-problem.ts'
import { dialProtocol, type Greeting } from './greeting.ts'
import { sshCommand, type SshPlace } from './ssh-url.ts'

/** How ssh, or the program there, has ended without a greeting. */
export interface SshEnd {
  /** Null when a signal ended it. */
  code: number | null
  /** The last of what it said. */
  said: string
}

/** The exit code of our own start of ssh where there is none. */
export const noSsh = 253
/** Of ssh itself, of a shell that finds no program, and of a `rack` that does not know the command. */
const [ofSsh, notFound, usage] = [255, 127, 2]

/** What went wrong, and what to type. ssh tells its reasons in words alone; they are always shown. */
export function sshFailure(place: SshPlace, { code, said }: SshEnd): RackError {
  const { host } = place
  const command = sshCommand(place)
  const told = lastLine(said)
  if (code === noSsh) {
    return new RackError('host-failed', 'ssh is not installed here', {
      hint: 'Install OpenSSH (apt-get install openssh-client), or log in by https: rack login https://HOST',
    })
  }
  if (code === notFound) {
    return new RackError('unreachable', `${host} lets you in, and has no rack on the PATH of its ssh`, {
      hint: `${command} 'command -v rack' must find it: there, as root: ln -s /WHERE/IT/IS/bin/rack /usr/local/bin/rack`,
    })
  }
  if (code === usage) {
    return new RackError('unreachable', `the rack program of ${host} is too old to be reached by ssh`, {
      hint: `See its version: ${command} rack version. Update it there to the one of here: rack version`,
    })
  }
  if (code === ofSsh) return ofOpenSsh(place, said)
  return new RackError('unreachable', `${host} has no rack at the other end of ssh: ${told}`, {
    hint: `See what it says: ${command} rack dial-stdio`,
  })
}

function ofOpenSsh(place: SshPlace, said: string): RackError {
  const command = sshCommand(place)
  const name = place.port === null ? place.host : `'[${place.host}]:${place.port}'`
  if (/HOST IDENTIFICATION HAS CHANGED/.test(said)) {
    return new RackError(
      'untrusted',
      `the host key of ${place.host} is another one than before: nothing was sent to it`,
      {
        hint: `Ask who runs it whether its key was changed. Only if it was: ssh-keygen -R ${name}; then: ${command} true`,
      },
    )
  }
  if (/Host key verification failed/.test(said)) {
    return new RackError(
      'untrusted',
      `the host key of ${place.host} is not known here: nothing was sent to it`,
      {
        hint: `Compare it with what its operator says, and take it: ${command} true`,
      },
    )
  }
  if (/Permission denied/.test(said)) {
    return new RackError('unreachable', `${place.host} does not let you in: ${lastLine(said)}`, {
      hint: `This must work first: ${command} true (ssh-copy-id brings a key there)`,
    })
  }
  return new RackError('unreachable', `ssh does not get to ${place.host}: ${lastLine(said)}`, {
    hint: `This must work first: ${command} true`,
  })
}

/** Why what greets cannot be used; null where it can. */
export function greetingFailure({ host }: SshPlace, own: string, greeting: Greeting): RackError | null {
  const { protocol, version, problem } = greeting
  if (problem) return problemError({ ...problem, detail: `on ${host}: ${problem.detail}` })
  if (protocol === dialProtocol) return null
  const isNewer = protocol > dialProtocol
  const message = `the rack program of ${host} is ${isNewer ? 'newer' : 'older'} (${version}) than this one (${own}): they cannot speak by ssh`
  return new RackError('unreachable', message, {
    hint: isNewer ? `Update this command line to ${version}.` : `Update Rack on ${host} to ${own}.`,
    details: { here: own, there: version },
  })
}

function lastLine(said: string): string {
  const lines = said.split(/\r?\n/).filter((line) => line.trim() !== '')
  return (lines.at(-1) ?? 'it said nothing').slice(0, 300)
}
