import type { PinnedServer } from '../client/transport.ts'
import { RackError } from '../domain/error.ts'
import type { KnownRack } from './racks-file.ts'

/** What a rack in an AWS account is called by, where its daemon runs there too. */
export interface AccountAddress {
  region: string
  /** Its name there. */
  rack: string
}

const httpsPort = 443

export function isAccountUrl(url: string): boolean {
  return /^aws:/i.test(url)
}

export function accountUrl({ region, rack }: AccountAddress): string {
  return `aws://${region}/${rack}`
}

/** Reads `aws://REGION/NAME`. @throws usage */
export function readAccountUrl(url: string): AccountAddress {
  const [, region, rack] = /^aws:\/\/([a-z0-9-]+)\/([a-z0-9-]+)\/?$/i.exec(url) ?? []
  if (region !== undefined && rack !== undefined) return { region, rack }
  throw new RackError('usage', `"${url}" is not the address of a rack in an account`, {
    hint: 'It is made of its Region and its name there: aws://eu-west-1/rack',
  })
}

/** The API of a rack that was logged in to. @throws usage for an address of which nothing else is known here */
export function serverOf({ url, pin, account }: Pick<KnownRack, 'url' | 'pin' | 'account'>): PinnedServer {
  if (!account || !pin) {
    throw new RackError(
      'usage',
      `where ${url} is, and whom to believe there, is asked of its account first`,
      {
        hint: `rack login ${url}`,
      },
    )
  }
  const { apiHost: name, balancer: host } = account
  return { address: url, name, host, port: httpsPort, certificate: pin.certificate }
}
