import { RackError } from '../../domain/error.ts'

/** Where ssh leads to a rack: `ssh://deploy@host:22/var/lib/rack/rack/api.sock`, of which only the host is needed. */
export interface SshPlace {
  user: string | null
  host: string
  port: number | null
  /** The rack's socket on that machine; the one that its user's command line knows when null. */
  socket: string | null
}

export function isSshUrl(url: string): boolean {
  return /^ssh:\/\//i.test(url)
}

/**
 * Reads such an address. What is in it becomes arguments of ssh and words of a shell there: only plain names are taken.
 * @throws usage
 */
export function readSshUrl(text: string): SshPlace {
  const url = URL.parse(text)
  if (!url || url.protocol !== 'ssh:') throw wrong('it has no host')
  const { username, password, hostname, port, pathname, search, hash } = url
  if (password !== '') throw wrong('a password does not belong into it: ssh asks, or takes a key')
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (!/^[A-Za-z0-9_][\w.-]*$/.test(host) && !/^[0-9A-Fa-f:.]+$/.test(host))
    throw wrong('it has no plain host')
  if (username !== '' && !/^[A-Za-z0-9_][\w.@+-]*$/.test(username)) throw wrong('its user has no plain name')
  const socket = pathname.replace(/\/+$/, '')
  if (!/^[\w@+=.,/-]*$/.test(socket) || search !== '' || hash !== '') throw wrong('its path is not plain')
  return {
    user: username || null,
    host,
    port: port === '' ? null : Number(port),
    socket: socket || null,
  }
}

/** Safe to give to ssh: behind `--` no host is an option. */
export function sshArguments({ user, host, port, socket }: SshPlace): string[] {
  return [
    '-T',
    ...['ConnectTimeout=30', 'ServerAliveInterval=15', 'ClearAllForwardings=yes'].flatMap((one) => [
      '-o',
      one,
    ]),
    ...(user === null ? [] : ['-l', user]),
    ...(port === null ? [] : ['-p', String(port)]),
    '--',
    host,
    ['rack', 'dial-stdio', ...(socket === null ? [] : ['--socket', socket])].join(' '),
  ]
}

/** As a person would type it, to see what ssh says: `ssh -p 2222 deploy@host`. */
export function sshCommand({ user, host, port }: SshPlace): string {
  return `ssh ${port === null ? '' : `-p ${port} `}${user === null ? '' : `${user}@`}${host}`
}

function wrong(why: string): RackError {
  // Not repeated: it may hold a password.
  return new RackError('usage', `that is not an address for ssh: ${why}`, {
    hint: 'It looks like ssh://deploy@rack.example.com, ssh://deploy@host:2222 or ssh://host/var/lib/rack/rack/api.sock',
  })
}
