import { isIP } from 'node:net'
import { RackError } from '../domain/error.ts'
import { isPort } from '../lib/host-and-port.ts'
import { pemLabels } from '../lib/x509/pem.ts'

/** @throws invalid */
export function checkAddress(what: string, address: string): void {
  if (!isIP(address)) throw invalid(what, address)
}

/** @throws invalid */
export function checkPort(port: number): void {
  if (!isPort(port)) throw invalid('port', String(port))
}

/** HAProxy would refuse the whole configuration for a file that is none. The text may hold a key, and is not told. @throws invalid */
export function checkPem(what: string, text: string, labels: string[]): void {
  if (pemLabels(text)?.join() !== labels.join()) throw invalid(what, '')
}

/** For a value that no table may have. */
export function invalid(what: string, value: string): RackError {
  return new RackError('invalid', `the router cannot hold the ${what} ${JSON.stringify(value)}`)
}
