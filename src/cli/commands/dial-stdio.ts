import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { Duplex } from 'node:stream'
import { checkSocket } from '../../client/check-socket.ts'
import { dialProtocol, greetingLine, type Greeting } from '../../client/ssh/greeting.ts'
import { knownError, RackError } from '../../domain/error.ts'
import { carryStreams } from '../../lib/carry-streams.ts'
import type { CommandSpec } from '../command-spec.ts'
import { findSocket } from '../find-socket.ts'
import type { World } from '../world.ts'

/** `rack dial-stdio`, for programs: joins standard input and output, which carry many streams, to the rack's socket. */
export const dialStdio: CommandSpec = {
  name: 'dial-stdio',
  summary: 'what rack login ssh://… starts on the other machine',
  description: [
    'Joins its standard input and output to the socket of a rack of this machine. It looks at nothing that it carries: the',
    'token is the caller\'s. As the only command of a key: command="rack dial-stdio",restrict in authorized_keys.',
  ].join('\n'),
  examples: ['dial-stdio', 'dial-stdio --socket /var/lib/rack/rack/api.sock'],
  options: [
    { flags: '--socket <path>', meaning: "the rack's socket; of the current rack of this user unless given" },
  ],
  needs: 'nothing',
  async run({ world, options }) {
    if (world.stdin.isTTY) {
      throw new RackError('usage', 'this is for programs, and standard input is a terminal', {
        hint: 'From elsewhere: rack login ssh://USER@HOST',
      })
    }
    const pipe = Duplex.from({ readable: world.stdin, writable: world.stdout })
    const begin = beginning(world)
    try {
      const path = options.text('socket') ?? findSocket(world.env)
      checkSocket(path)
      pipe.write(greetingLine(begin))
      await carryStreams(pipe, () => dial(path))
      return 0
    } catch (error) {
      const { code, message, hint } = knownError(error)
      pipe.write(
        greetingLine({ ...begin, problem: { code, detail: message, ...(hint !== undefined && { hint }) } }),
      )
      return 1
    }
  },
}

function beginning({ env, version }: World): Greeting {
  const from = env['SSH_CONNECTION']?.split(' ', 1)[0] ?? null
  return { protocol: dialProtocol, version, user: userInfo().username, from }
}

/** Looked at again each time: it may be another one by now. */
function dial(path: string): Duplex {
  checkSocket(path)
  return connect({ path, allowHalfOpen: true })
}
