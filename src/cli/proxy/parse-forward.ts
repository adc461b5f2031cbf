import { RackError } from '../../domain/error.ts'

/** A port here that leads to a port of a process. */
export interface Forward {
  /** 0 is any free one. */
  localPort: number
  host: string
  port: number
}

/** Reads `[LOCAL:]HOST:PORT`. @throws usage */
export function parseForward(word: string): Forward {
  const match = /^(?:(\d{1,5}):)?([A-Za-z][\w.-]*):(\d{1,5})$/.exec(word)
  const [, local, host = '', remote = ''] = match ?? []
  const [localPort, port] = [Number(local ?? remote), Number(remote)]
  if (match && localPort <= 65_535 && port >= 1 && port <= 65_535) return { localPort, host, port }
  throw new RackError('usage', `"${word}" is no [LOCAL:]HOST:PORT`, {
    hint: 'HOST is a process type of the app: rack proxy redis:6379, or 16379:redis:6379',
  })
}
