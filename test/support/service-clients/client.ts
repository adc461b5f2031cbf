import type { Login, ServiceType } from '../../../src/services/service-type.ts'
import type { ServiceWorld } from '../service-world.ts'

/** What a consumer does with its login, over the network, in the words of the type. */
export interface Client {
  type: ServiceType
  /** The same for every link, or keys that begin with the link's prefix. */
  hasPrefixes?: true
  /** Keeps a value. Rejects where the login is not taken. */
  write(service: ServiceWorld, login: Login, value: string): Promise<void>
  /** The values that were kept there, in their order. */
  read(service: ServiceWorld, login: Login, place?: Login): Promise<string[]>
  /** A session that stays. */
  stay(service: ServiceWorld, login: Login): Session
}

export interface Session {
  /** Settles when it is in. */
  here: Promise<void>
  /** Rejects when it is ended by the other side. */
  ended: Promise<unknown>
  hasEnded(): boolean
}

/** A program of the service's own container, where its client is. */
export interface Script {
  script: string
  /** The first line of its standard input is the password. */
  input: string
}

/** A client that is a program; a session says `here` once it is in. */
export function scriptedClient(
  about: Pick<Client, 'type' | 'hasPrefixes'>,
  scripts: {
    write(login: Login, value: string): Script
    read(login: Login, place: Login): Script
    stay(login: Login): Script
  },
): Client {
  const ask = (service: ServiceWorld, { script, input }: Script) => service.sh(script, input)
  return {
    ...about,
    write: async (service, login, value) => void (await ask(service, scripts.write(login, value))),
    read: async (service, login, place = login) =>
      (await ask(service, scripts.read(login, place))).split('\n').filter((line) => line !== ''),
    stay: (service, login) => openSession(service, scripts.stay(login)),
  }
}

function openSession(service: ServiceWorld, { script, input }: Script): Session {
  const here = Promise.withResolvers<void>()
  let [said, isOver] = ['', false]
  const output = async (chunk: Uint8Array) => {
    said += Buffer.from(chunk).toString()
    if (said.includes('here')) here.resolve()
  }
  const ended = service.run({ command: ['sh', '-c', script], input, secrets: [] }, { output })
  void ended.catch(here.reject).finally(() => (isOver = true))
  return { here: here.promise, ended, hasEnded: () => isOver }
}
