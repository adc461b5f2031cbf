import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A user of this machine who is nobody's; tests that need one are run by root. */
export const otherUser = { uid: 54321, gid: 54321 }

/** Why a test that acts as another user is left out; false where it can be run. */
export const needsRoot = process.getuid?.() === 0 ? false : 'only root can act as another user'

export interface Listener extends AsyncDisposable {
  /** All that was sent to it so far, and the beginning of each connection as `<`. */
  heard(): string
}

/** The beginning of a program of the other user: Node is started by root, whom every clone lets in. */
export function asOther(group: string | number = otherUser.gid): string {
  return `process.setgroups([]); process.setgid(${JSON.stringify(group)}); process.setuid(${otherUser.uid})`
}

const program = `${asOther()}
process.umask(0)
const server = require('node:net').createServer((socket) => {
  process.stdout.write('<')
  socket.pipe(process.stdout, { end: false })
  socket.on('error', () => undefined)
})
const place = JSON.parse(process.argv[1])
server.listen(place, () => process.stderr.write('listens'))
`

/** Another user's program, which takes whatever is sent to a port or a socket, and answers nothing. */
export async function listenAsOther(
  place: { path: string } | { host: string; port: number },
): Promise<Listener> {
  const child = spawn(process.execPath, ['--eval', program, JSON.stringify(place)], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let heard = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (heard += text))
  const [said] = (await once(child.stderr, 'data')) as [Buffer]
  if (said.toString() !== 'listens') throw new Error(said.toString())
  return {
    heard: () => heard,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'close')
      child.kill()
      await ended
    },
  }
}
