import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { RackError } from '../../domain/error.ts'

/** Of the network that a rack makes; of any other one the way out is mostly the same. */
const beyond = '10.213.0.1'

/** The address by which this machine goes to a network elsewhere. Nothing is sent. @throws host-failed without a way */
export async function sourceAddress(): Promise<string> {
  const socket = createSocket('udp4')
  try {
    socket.connect(53, beyond)
    await once(socket, 'connect')
    return socket.address().address
  } catch (cause) {
    throw new RackError('host-failed', 'this machine has no way to a network elsewhere', {
      hint: 'Say from which addresses it comes there: --daemon-from 10.9.8.7/32',
      cause,
    })
  } finally {
    socket.close()
  }
}
